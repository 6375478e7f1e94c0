"""What Mermaid itself makes of the flowcharts: parsed and drawn in Chromium, and kept.

``python -m tests.lineage.mermaid_observed mermaid.min.js [PICTURES]`` writes
``fixtures/mermaid.json``; the script is ``dist/mermaid.min.js`` of the npm package ``mermaid``,
which is too large to install for each run of the tests. With a folder PICTURES it also draws
each sample at two widths.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from slipway.lineage.mermaid import render_mermaid
from tests.chromium import launched
from tests.lineage.sample_lineages import SAMPLES

OBSERVED = Path(__file__).parent / "fixtures/mermaid.json"
WIDTHS = (1200, 420)
# as GitLab draws it
DRAW = """async text => {
  mermaid.initialize({startOnLoad: false, securityLevel: "strict"});
  const parsed = await mermaid.parse(text);
  const {svg} = await mermaid.render("drawn", text);
  document.getElementById("here").innerHTML = svg;
  const words = element => element.innerText.split("\\n").map(line => line.trim()).filter(Boolean);
  return {
    type: parsed.diagramType,
    nodes: [...document.querySelectorAll("g.node .nodeLabel")].map(words),
    titles: [...document.querySelectorAll("g.cluster .nodeLabel")].map(words),
    edges: document.querySelectorAll("path.flowchart-link").length,
    elements: [...new Set([...document.querySelectorAll("#here *")].map(e => e.tagName))].sort(),
  };
}"""


def observe(script: Path, pictures: Path | None = None) -> dict[str, Any]:
    """Return each sample's text with what Mermaid drew of it, and Mermaid's version."""
    source = script.read_text(encoding="utf-8")
    package = json.loads((script.parents[1] / "package.json").read_text(encoding="utf-8"))
    observed: dict[str, Any] = {"mermaid": package["version"]}
    with launched() as browser:
        for name, sample in SAMPLES.items():
            text = render_mermaid(sample())
            for width in WIDTHS:
                page = browser.new_page(viewport={"width": width, "height": 600})
                page.set_content('<div id="here" style="font-family: sans-serif"></div>')
                page.add_script_tag(content=source)
                drawn = page.evaluate(DRAW, text)
                if pictures is not None:
                    page.screenshot(path=pictures / f"{name}-{width}.png", full_page=True)
                page.close()
                if width == WIDTHS[0]:
                    observed[name] = {"text": text, "drawn": drawn}
    return observed


if __name__ == "__main__":
    folder = Path(sys.argv[2]) if len(sys.argv) > 2 else None
    OBSERVED.write_text(
        json.dumps(observe(Path(sys.argv[1]), folder), indent=1, ensure_ascii=False) + "\n",
        encoding="utf-8",
    )
