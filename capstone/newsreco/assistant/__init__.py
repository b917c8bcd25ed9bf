"""The news assistant: answers from the articles, with sources, or none."""

from newsreco.assistant.answer import Answer, Assistant, Citation
from newsreco.assistant.claude import Claude
from newsreco.assistant.questions import load_questions
from newsreco.synthetic.questions import Question, make_questions

__all__ = [
    "Answer",
    "Assistant",
    "Citation",
    "Claude",
    "Question",
    "load_questions",
    "make_questions",
]
