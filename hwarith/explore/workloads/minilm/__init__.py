"""A transformer that runs on the units under study: all-MiniLM-L6-v2.

The model's six layers of BERT give a text an embedding of 384 numbers (`encoder`); every product of
matrices goes through a unit bit-accurately (`products`), or every operation (`presets`). The task
(`retrieval`) is made of text on the machine: find for the summary line of a numpy or scipy function
the rest of its docstring.

Needs the extra ``transformer``, and the model: `model` says how to install it.
"""

from .task import Retrieval, run

__all__ = ["Retrieval", "run"]
