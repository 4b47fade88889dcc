#!/usr/bin/env bash
# Runs one Python file of this folder as a test.
exec python3 -B "$1"
