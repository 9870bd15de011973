"""The course as pages that need no server and no network: `coursekit site`.

`build` prepares sources, has Sphinx make pages of them, and looks through what was made:

    sources     what of the repository becomes a page, and what each is made of
    solved      a solved notebook: folded solutions, pictures as files, no widget
    links       a link in a Markdown file of the repository, aimed at a page
    written     pages that stand in no file: the first one, the gallery
    reference   pages of the package's modules, for autodoc
    conf        Sphinx's settings; `formulas` and `docstrings` are extensions that it loads
    made        weights, links, words for pictures, nothing from the network, nothing hidden

Sphinx is in the dependency group `site`; it is started as a program, and imported by `conf` and the
two extensions alone.
"""
