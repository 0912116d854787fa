"""Records what Jinja2 makes of the snippets: python3 record.py [--check]

Needs the package of requirements.txt. What cannot be rendered is recorded as null.
"""

import json
import pathlib
import sys

import jinja2

here = pathlib.Path(__file__).parent
values = json.loads((here / "values.json").read_text())
environment = jinja2.Environment(
    loader=jinja2.FileSystemLoader(here / "files"),
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
    extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols"],
)
# tables keep their order here
environment.policies["json.dumps_kwargs"] = {"sort_keys": False}


def answer(snippet):
    try:
        return environment.from_string(snippet).render(values)
    except Exception:
        return None


# as it stands: some lines end with a carriage return
snippets = (here / "snippets.txt").read_bytes().decode().removesuffix("\n").split("\n---\n")
lines = [json.dumps([snippet, answer(snippet)], ensure_ascii=False) for snippet in snippets]
text = "[\n" + ",\n".join(lines) + "\n]\n"
if "--check" in sys.argv:
    sys.exit(0 if (here / "answers.json").read_text() == text else "answers.json is not what this Jinja2 says")
(here / "answers.json").write_text(text)
