"""Texts, web servers and notebooks."""

from __future__ import annotations

from .model import Group

GROUPS: dict[str, Group] = {
    "text": Group(
        (
            "nltk",
            "spacy",
            "babel",
            "pytz",
            "tzdata",
            "jinja2",
            "lxml",
            "beautifulsoup4",
            "jsonschema",
            "pygments",
            "python-dateutil",
        ),
        {
            "nltk": ("import nltk; assert nltk.stem.PorterStemmer().stem('running') == 'run'"),
            "nltk grammar": ("import nltk; assert nltk.CFG.fromstring(\"S -> 'a'\").productions()"),
            "spacy": "import spacy; assert len(spacy.blank('en')('a b c')) == 3",
            "spacy in other languages": "import spacy; assert len(spacy.blank('de')('a b'))",
            "babel": (
                "from babel.dates import format_date; import datetime; assert format_date("
                "datetime.date(2024, 1, 2), locale='en')"
            ),
            "pytz": "import pytz; assert pytz.timezone('Europe/Rome') and pytz.country_names['IT']",
            "jinja2": "import jinja2; assert jinja2.Template('{{ a }}').render(a=1) == '1'",
            "lxml": "from lxml import etree, html; assert html.fromstring('<p>a</p>').text == 'a'",
            "beautifulsoup4": "import bs4; assert bs4.BeautifulSoup('<p>a', 'lxml').p.text == 'a'",
            "jsonschema": ("import jsonschema; jsonschema.validate({}, {'type': 'object'})"),
            "pygments": (
                "from pygments import highlight; from pygments.lexers import get_lexer_by_name as g"
                "; from pygments.formatters import HtmlFormatter as H; highlight('a', g('c'), H())"
            ),
            "dateutil": (
                "from dateutil import tz, parser; assert parser.parse('1 May 2024').month == 5;"
                " assert tz.gettz('Europe/Rome')"
            ),
        },
    ),
    "web": Group(
        ("django", "flask", "fastapi", "starlette", "gunicorn", "celery", "pydantic", "redis"),
        {
            "django": (
                "import django; from django.conf import settings as s; s.configure("
                "INSTALLED_APPS=['django.contrib.auth', 'django.contrib."
                "contenttypes', 'django.contrib.messages', 'django.contrib.sessions'], DATABASES="
                "{'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': ':memory:'}},"
                " USE_I18N=True); django.setup()\n"
                "from django.core.management import call_command as c; c('migrate', verbosity=0);"
                " c('check')"
            ),
            "django translates": (
                "import django; from django.conf import settings as s; s.configure(USE_I18N=True);"
                " django.setup(); from django.utils import translation as t; t.activate('de');"
                " assert t.gettext('Yes')"
            ),
            "django's test client": (
                "from django.conf import settings as s; s.configure(); import django.test"
            ),
            "flask": (
                "import flask; a = flask.Flask('a'); a.route('/')(lambda: 'x');"
                " assert a.test_client().get('/').data == b'x'"
            ),
            "fastapi describes itself": (
                "import fastapi; a = fastapi.FastAPI(); a.get('/')(lambda: 1);"
                " assert a.openapi()['paths']"
            ),
            "starlette": "import starlette.routing, starlette.applications as a; a.Starlette()",
            "gunicorn": "import gunicorn.app.wsgiapp",
            "celery": "import celery; celery.Celery('a').conf.broker_url",
            "pydantic": "import pydantic; pydantic.create_model('A', a=(int, ...))(a=1)",
        },
    ),
    "notebook": Group(
        ("jupyterlab", "notebook", "ipykernel", "nbconvert", "ipywidgets", "jedi"),
        {
            "ipython": (
                "from IPython.core.interactiveshell import InteractiveShell as I;"
                " assert I().run_cell('1 + 1').result == 2"
            ),
            "jedi completes": (
                "import jedi; assert jedi.Script('import json; json.du').complete(1, 20)"
            ),
            "kernels are found": (
                "from jupyter_client.kernelspec import KernelSpecManager as K;"
                " assert 'python3' in K().find_kernel_specs()"
            ),
            "nbconvert to HTML": (
                "import nbformat.v4 as v, nbconvert as n; assert n.HTMLExporter("
                ").from_notebook_node(v.new_notebook(cells=[v.new_code_cell('1')]))[0]"
            ),
            "a kernel runs a cell": (
                "from jupyter_client.manager import start_new_kernel as s; m, c = s();"
                " r = c.execute_interactive('1', timeout=60); assert r['content']['status'] =="
                " 'ok'; c.stop_channels(); m.shutdown_kernel(now=True)"
            ),
            "jupyterlab's assets": (
                "from jupyterlab.commands import get_app_dir as g, get_app_info as i; import os;"
                " assert os.path.exists(os.path.join(g(), 'static', 'index.html'))"
            ),
            "the server's extensions": (
                "import jupyterlab.labapp, notebook.app, jupyter_server.serverapp"
            ),
            "jupyter events and schemas": (
                "import jupyter_events; from jupyter_server.services.contents.manager import "
                "ContentsManager"
            ),
            "ipywidgets": "import ipywidgets as w; w.IntSlider()",
        },
    ),
}
