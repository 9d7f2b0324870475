"""What Blender makes of a stage: imported, then exported again; run by Blender's own Python.

`python blender.py STAGE EXPORTED` prints the scene's range, rate, cameras and objects as JSON.
"""

import json
import sys

import bpy

bpy.ops.wm.read_factory_settings(use_empty=True)
bpy.ops.wm.usd_import(filepath=sys.argv[1], set_frame_range=True)
scene = bpy.context.scene
found = {
    "start": scene.frame_start,
    "end": scene.frame_end,
    "rate": scene.render.fps / scene.render.fps_base,
    "objects": {item.name: item.type for item in bpy.data.objects},
    "lenses": {item.name: round(item.lens, 3) for item in bpy.data.cameras},
}
bpy.ops.wm.usd_export(filepath=sys.argv[2], export_animation=True)
sys.stdout.write(f"\n{json.dumps(found)}\n")
