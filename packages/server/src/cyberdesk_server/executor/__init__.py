"""Carries runs out. Pictures come from desktops and prompts, and may be made to burst when opened."""

import os

from cyberdesk_server.domain.screens import MAX_PIXELS

# OpenCV reads it when it is loaded, which is after this.
os.environ["OPENCV_IO_MAX_IMAGE_PIXELS"] = str(MAX_PIXELS)
