"""Applications in a browser, databases and pipelines: servers that are started and asked."""

from __future__ import annotations

from inspect import cleandoc as code

from .helpers import serves
from .model import Group

GROUPS: dict[str, Group] = {
    "apps": Group(
        ("streamlit", "dash", "gradio", "nicegui", "shiny", "textual", "flask-admin", "itables"),
        {
            "streamlit": serves("""
                write('a.py', 'import streamlit as s, pandas as p\\ns.title("it")\\n'
                      's.dataframe(p.DataFrame({"a": [1]}))\\ns.line_chart([1, 2])\\n')
                with serves('streamlit', 'run', 'a.py', '--server.headless', 'true',
                            '--server.port', PORT, '--server.address', '127.0.0.1') as page:
                    assert len(fetch_all(page)) > 20 and get('_stcore/health') == b'ok'
                from streamlit.testing.v1 import AppTest
                assert AppTest.from_file('a.py').run(timeout=60).title[0].value == 'it'
            """),
            "dash": serves("""
                write('a.py', 'from dash import Dash, html, dcc, dash_table\\na = Dash()\\n'
                      'a.layout = html.Div([dcc.Graph(), dash_table.DataTable(), dcc.Dropdown()])\\n'
                      'a.run(port=%s)\\n' % PORT)
                with serves(sys.executable, 'a.py') as page:
                    found = re.findall(r'src="([^"]+)"', page); assert len(found) > 5
                    for path in found: assert get(path)
                    assert b'dcc' in get('_dash-layout') or get('_dash-layout')
            """),
            "gradio": serves("""
                write('a.py', 'import gradio as g\\ng.Interface(lambda x: x, "text", "image"'
                      ').launch(server_port=%s, server_name="127.0.0.1")\\n' % PORT)
                os.environ['GRADIO_ANALYTICS_ENABLED'] = 'False'
                with serves(sys.executable, 'a.py') as page:
                    assert len(fetch_all(page)) > 1 and get('config') and get('theme.css')
            """),
            "gradio's themes and components": serves("""
                import gradio as g
                for t in (g.themes.Soft, g.themes.Glass, g.themes.Monochrome): t()._get_theme_css()
                with g.Blocks() as b: g.Plot(); g.Chatbot(); g.DataFrame(); g.Code(); g.Audio()
                assert b.get_config_file()
            """),
            "nicegui": serves("""
                write('a.py', 'from nicegui import ui\\nui.label("it"); ui.icon("home")\\n'
                      'ui.aggrid({}); ui.echart({"series": []}); ui.markdown("**a**")\\n'
                      'ui.run(port=%s, host="127.0.0.1", show=False, reload=False)\\n' % PORT)
                with serves(sys.executable, 'a.py') as page:
                    assert len(fetch_all(page)) > 2
                    for path in re.findall(r'"(/_nicegui/[^"]+\\.js)"', page): assert get(path)
            """),
            "shiny": serves("""
                run('shiny', 'create', '--template', 'basic-app', '--mode', 'core', '--dir', 'x')
                with serves('shiny', 'run', '--port', PORT, 'x/app.py') as page:
                    assert len(fetch_all(page)) > 2
            """),
            "textual": code("""
                import asyncio
                from textual.app import App
                from textual.widgets import Header, TextArea, DataTable, Markdown
                class A(App):
                    def compose(self):
                        yield Header(); yield TextArea.code_editor('x = 1', language='python')
                        yield Markdown('# a'); yield DataTable()
                async def main():
                    async with A().run_test() as p: await p.pause()
                asyncio.run(main())
            """),
            "flask-admin": code("""
                import flask, re; from flask_admin import Admin
                a = flask.Flask('a'); a.secret_key = 'x'; Admin(a)
                c = a.test_client(); page = c.get('/admin/').text
                found = re.findall(r'(?:src|href)="(/admin/static[^"?]+)', page); assert found
                for path in found: assert c.get(path).status_code == 200, path
            """),
            "itables": code("""
                import itables, pandas as p
                assert itables.to_html_datatable(p.DataFrame({'a': [1]}), connected=False)
            """),
        },
    ),
    "panels": Group(
        (
            "panel",
            "voila",
            "jupyterlab",
            "jupyterlab-git",
            "jupyterlab-lsp",
            "hvplot",
            "ipyleaflet",
            "ipympl",
            "nbclassic",
            "jupyter-resource-usage",
            "folium",
            "pydeck",
        ),
        {
            "panel serves": serves("""
                write('a.py', 'import panel as p\\np.extension("tabulator", "vega")\\n'
                      'p.Column("# it", p.widgets.IntSlider(), p.pane.JSON({})).servable()\\n')
                with serves('panel', 'serve', 'a.py', '--port', PORT, path='a') as page:
                    for path in re.findall(r'src="(static/[^"?]+)', page): assert get(path)
            """),
            "panel's templates and files": serves("""
                import panel as p
                for t in (p.template.FastListTemplate, p.template.MaterialTemplate,
                          p.template.BootstrapTemplate, p.template.VanillaTemplate):
                    t(title='a', main=[p.Row('x')]).save('a.html', resources=p.io.resources.INLINE
                      if hasattr(p.io.resources, 'INLINE') else None)
                    assert os.path.getsize('a.html') > 5000
            """),
            "hvplot": code("""
                import pandas as p, hvplot.pandas, holoviews as h
                f = p.DataFrame({'a': [1, 2]}).hvplot(); h.save(f, 'a.html', backend='bokeh')
            """),
            "voila serves a notebook": serves("""
                import nbformat.v4 as v, nbformat
                nbformat.write(v.new_notebook(cells=[v.new_code_cell('print("i" + "t")')], metadata=
                    {'kernelspec': {'name': 'python3', 'display_name': 'a'}}), 'a.ipynb')
                with serves('voila', '--no-browser', '--port', PORT, 'a.ipynb', seconds=120) as page:
                    assert 'it' in page
                    for path in re.findall(r'(?:src|href)="(/(?:voila/)?static/[^"?]+)', page):
                        assert get(path)
            """),
            "jupyterlab serves its page and its extensions": serves("""
                with serves('jupyter', 'lab', '--no-browser', '--allow-root', '--port', PORT,
                            '--ServerApp.token=', '--ServerApp.password=', path='lab') as page:
                    assert len(fetch_all(page)) > 2
                    for path in re.findall(r'"(/?lab/extensions/[^"]+)"', page): get(path)
                    assert '"N/A"' not in get('lab/api/settings').decode()
                    assert get('lab/api/themes/@jupyterlab/theme-dark-extension/index.css')
                    assert get('lab/api/translations') and get('api/kernelspecs')
                    assert get('kernelspecs/python3/logo-64x64.png')
                said = run('jupyter', 'labextension', 'list'); assert '@jupyterlab/git' in said
                assert 'X' not in re.sub(r'[a-zA-Z]X|X[a-zA-Z]', '', said), said
            """),
            "the classic notebook": serves("""
                with serves('jupyter', 'nbclassic', '--no-browser', '--allow-root', '--port', PORT,
                            '--ServerApp.token=', '--ServerApp.password=', path='tree'
                            ) as page:
                    assert len(fetch_all(page)) > 2
            """),
            "folium, pydeck, ipyleaflet and ipympl": code("""
                import folium, pydeck, ipyleaflet, ipympl, os
                folium.Map().save('a.html'); pydeck.Deck().to_html('b.html', open_browser=False)
                ipyleaflet.Map(); import matplotlib; matplotlib.use('module://ipympl.backend_nbagg')
                import matplotlib.pyplot as p; p.plot([1])
            """),
        },
    ),
}
