"""Embedded data: drawn faces with known emotions, subjects and action units."""

from fer_lib.synthetic.draw import ACTION_UNITS, draw_face
from fer_lib.synthetic.generate import PROTOTYPES, Drawing, synthesize
from fer_lib.synthetic.person import Person, draw_person

__all__ = ["ACTION_UNITS", "PROTOTYPES", "Drawing", "Person", "draw_face", "draw_person", "synthesize"]
