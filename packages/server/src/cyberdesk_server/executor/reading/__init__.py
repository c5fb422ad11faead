"""What does a screen say, and where? Text, labels, values, tables, fields and pictures on screenshots.

Only `ScreenReader` looks at pixels on behalf of others; numpy, OpenCV and Tesseract are loaded when it first
does.
"""
