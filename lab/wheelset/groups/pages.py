"""Tools that make pages of documentation."""

from __future__ import annotations

from .helpers import runs
from .model import Group

GROUPS: dict[str, Group] = {
    "pages": Group(
        (
            "sphinx",
            "sphinx-rtd-theme",
            "furo",
            "myst-parser",
            "mkdocs",
            "mkdocs-material",
            "mkdocstrings[python]",
            "pdoc",
            "docutils",
            "jupytext",
            "jupyter-book<2",
        ),
        {
            "sphinx builds pages": runs("""
                run('sphinx-quickstart', '-q', '-p', 'a', '-a', 'b', '--ext-autodoc',
                    '--ext-mathjax', '--ext-todo', 's')
                for builder in ('html', 'latex', 'man', 'epub', 'text', 'gettext'):
                    run('sphinx-build', '-b', builder, 's', 'o/' + builder)
                assert os.path.getsize('o/html/_static/basic.css')
                assert os.path.getsize('o/html/_static/doctools.js')
            """),
            "sphinx in German, with themes": runs("""
                for theme in ('furo', 'sphinx_rtd_theme', 'alabaster', 'classic', 'bizstyle'):
                    write('s/conf.py', 'project = "a"; language = "de"; html_theme = "%s"\\n'
                          'extensions = ["myst_parser", "sphinx.ext.autosummary",'
                          ' "sphinx.ext.viewcode", "sphinx.ext.graphviz"]\\n' % theme)
                    write('s/index.md', '# A\\n\\ntext $x$\\n')
                    run('sphinx-build', '-E', 's', 'o/' + theme)
                    assert os.listdir('o/' + theme + '/_static')
                assert os.path.getsize('o/furo/_static/translations.js')
            """),
            "sphinx's autosummary and apidoc": runs("""
                write('p/__init__.py', 'def f():\\n    "It."\\n')
                run('sphinx-apidoc', '-F', '-o', 's', 'p')
                write('s/index.rst', 'A\\n=\\n\\n.. autosummary::\\n   :toctree: gen\\n\\n   p\\n')
                write('s/conf.py', 'import sys; sys.path.insert(0, ".")\\n'
                      'extensions = ["sphinx.ext.autosummary"]; autosummary_generate = True\\n')
                run('sphinx-build', 's', 'o'); assert os.path.exists('s/gen/p.rst')
            """),
            "mkdocs": runs("""
                run('mkdocs', 'new', '.')
                for theme in ('mkdocs', 'readthedocs', 'material'):
                    write('mkdocs.yml', 'site_name: a\\ntheme:\\n  name: %s\\n' % theme)
                    run('mkdocs', 'build', '-d', 'o/' + theme)
                    assert os.path.getsize('o/%s/index.html' % theme)
                    assert os.path.getsize('o/%s/search/search_index.json' % theme)
            """),
            "mkdocs-material in German, with icons": runs("""
                write('mkdocs.yml', 'site_name: a\\ntheme:\\n  name: material\\n  language: de\\n'
                      '  icon:\\n    repo: fontawesome/brands/git-alt\\n'
                      'markdown_extensions:\\n  - pymdownx.highlight\\n  - pymdownx.superfences\\n'
                      '  - pymdownx.emoji:\\n'
                      '      emoji_index: !!python/name:material.extensions.emoji.twemoji\\n'
                      '      emoji_generator: !!python/name:material.extensions.emoji.to_svg\\n'
                      'plugins:\\n  - search\\n  - tags\\n  - blog\\n')
                write('docs/index.md', '# A\\n\\n:material-home:\\n\\n```python\\n1\\n```\\n')
                write('docs/blog/index.md', '# B\\n')
                run('mkdocs', 'build'); page = open('site/index.html').read()
                assert '<svg' in page and 'lang="de"' in page
            """),
            "mkdocstrings": runs("""
                write('p_.py', 'def f(a: int) -> int:\\n    "It."\\n')
                write('mkdocs.yml', 'site_name: a\\nplugins:\\n  - mkdocstrings\\n')
                write('docs/index.md', '# A\\n\\n::: p_\\n')
                run('mkdocs', 'build'); assert 'It.' in open('site/index.html').read()
            """),
            "pdoc": runs("run('pdoc', '-o', 'o', 'json'); assert os.path.getsize('o/json.html')"),
            "docutils writes every format": runs("""
                from docutils.core import publish_string as p
                t = '.. |x| image:: a\\n\\nA\\n=\\n\\n.. math:: x\\n\\n.. include:: <isonum.txt>\\n'
                for w in ('html5', 'html4', 'latex', 'xetex', 'odt', 'manpage', 's5', 'xml'):
                    s = {'stylesheet_path': ''} if w == 'xetex' else {}
                    p(t, writer_name=w, settings_overrides=s)
            """),
            "docutils in other languages": runs("""
                from docutils.core import publish_string as p
                for l in ('de', 'fr', 'ja', 'zh_cn'):
                    p('.. note:: a', writer_name='html5',
                      settings_overrides={'language_code': l, 'report_level': 5})
            """),
            "jupytext": runs("""
                write('a.py', '# %%\\n1 + 1\\n'); run('jupytext', '--to', 'ipynb', 'a.py')
                run('jupytext', '--to', 'md:myst', 'a.ipynb'); assert '1 + 1' in open('a.md').read()
            """),
            "jupyter-book": runs("""
                run('jupyter-book', 'create', 'b'); assert os.path.exists('b/_config.yml')
                write('c/_config.yml', 'title: a\\nexecute:\\n  execute_notebooks: "off"\\n')
                write('c/_toc.yml', 'format: jb-book\\nroot: a\\n'); write('c/a.md', '# A\\n')
                run('jupyter-book', 'build', 'c'); assert os.path.exists('c/_build/html/a.html')
            """),
        },
    ),
}
