"""Simulation studies with known states: how well can detectors find them, and how well could anybody?"""
