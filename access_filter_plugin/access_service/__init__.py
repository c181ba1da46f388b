"""``SERVICE=ACCESS``: what the plugin says about itself and about the caller's rights."""
