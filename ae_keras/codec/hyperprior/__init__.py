"""Codecs whose tables depend on what has been decoded: a hyperprior with a checkerboard context.

A trained model gives latents and hyper-latents (`transform`), and pixels of known latents. All
between these and the bytes is one computation in integers, the same on every machine: `fixed_point`
has its layers, `networks` what is made of them, `levels` what belongs to each quality, `coder` the
order in which symbols are coded. `entropy_model` is the file of it all, which `fitting` makes when
training ends; `strip_codec` makes files of images of any size.
"""
