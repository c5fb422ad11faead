"""What tests of the server, and of programs around it, are made with.

rows        databases, and rows in them
ports       fakes of the ports: clock, blobs, desktop, model, reader
screens     painted screens
prompts     prompts followed on painted screens
programs    server and driver as programs
"""
