"Sphinx settings of the documentation site. `build.py` writes the pages into `_src`; nothing is fetched."

from pathlib import Path

project = "smart_customer_analysis"
copyright = "smart_customer_analysis contributors"
version = release = next(
    line.split('"')[1]
    for line in (Path(__file__).parents[1] / project / "__init__.py").read_text(encoding="utf-8").splitlines()
    if line.startswith("__version__")
)

extensions = ["myst_nb"]
nb_execution_mode = "off"  # outputs are those the notebooks were saved with
nb_merge_streams = True
myst_enable_extensions = ["colon_fence", "strikethrough"]
myst_heading_anchors = 4
root_doc = "index"
exclude_patterns = ["_build"]
html_show_sphinx = False

html_theme = "furo"
html_title = project
html_static_path = ["_static"]
html_extra_path = ["openapi.json"]  # at the root of the site, for generators of clients
html_css_files = ["site.css"]
html_js_files = ["site.js"]
html_search_scorer = str(Path(__file__).parent / "_static" / "scorer.js")  # what is found first
html_theme_options = {
    "light_css_variables": {
        "color-brand-primary": "#1A1F26",
        "color-brand-content": "#1A5FA6",
        "color-foreground-primary": "#1A1F26",
        "color-foreground-secondary": "#454D59",
        "color-background-secondary": "#F6F7F9",
    },
    "dark_css_variables": {
        "color-brand-primary": "#E8ECF1",
        "color-brand-content": "#7DB9F2",
        "color-foreground-primary": "#E8ECF1",
        "color-foreground-secondary": "#BBC4D0",
        "color-background-primary": "#0F1318",
        "color-background-secondary": "#181D24",
    },
    "top_of_page_buttons": [],
}
