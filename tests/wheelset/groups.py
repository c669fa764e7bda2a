"""The wheels by group, and a small piece of real work for each package.

A check is Python code that ends without an exception where the package works. It uses data that
packages bring, plugins found by entry point, stubs that are read at run time, compilers behind
decorators: what plain imports do not show.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Group:
    """Wheels that are installed together: `requirements` for PyPI, `checks` by name."""

    requirements: tuple[str, ...]
    checks: dict[str, str]


PYTHON = {
    "ssl: the default context trusts somebody": (
        "import ssl; assert ssl.create_default_context().cert_store_stats() is not None"
    ),
    "sqlite3": (
        "import sqlite3; assert sqlite3.connect(':memory:').execute('select 1').fetchone() == (1,)"
    ),
    "zoneinfo": (
        "import zoneinfo, datetime; assert datetime.datetime(2024, 7, 1, tzinfo="
        "zoneinfo.ZoneInfo('Europe/Berlin')).utcoffset().seconds == 7200"
    ),
    "multiprocessing spawn": (
        "import multiprocessing as m\n"
        "if __name__ == '__main__':\n"
        "    with m.get_context('spawn').Pool(1) as p: assert p.map(abs, [-1]) == [1]"
    ),
    "inspect.getsource": (
        "import inspect, json; assert 'def dumps' in inspect.getsource(json.dumps)"
    ),
    "unittest": (
        "import unittest\nclass T(unittest.TestCase):\n"
        "    def test(self): self.assertTrue(True)\n"
        "assert unittest.TextTestRunner().run("
        "unittest.defaultTestLoader.loadTestsFromTestCase(T)).wasSuccessful()"
    ),
    "importlib.metadata": (
        "import importlib.metadata as m\n"
        "for d in m.distributions(): assert d.metadata['Name'] and d.version"
    ),
    "every entry point of consoles names a module": (
        "import importlib.metadata as m, importlib.util as u\n"
        "for e in m.entry_points(group='console_scripts'): u.find_spec(e.module.split('.')[0])"
    ),
}
"""Checks that hold for every group."""

GROUPS: dict[str, Group] = {
    "base": Group(
        ("numpy", "pandas", "uvicorn"),
        {
            "numpy": "import numpy as n; assert n.linalg.inv(n.eye(3)).sum() == 3; n.testing",
            "numpy.random": "import numpy as n; assert n.random.default_rng(1).random() < 1",
            "numpy.f2py": "import numpy.f2py; assert numpy.f2py.get_include()",
            "pandas": (
                "import pandas as p, io; f = p.read_csv(io.StringIO('a,b\\n1,2\\n3,4'));"
                " assert f.groupby('a').b.sum()[3] == 4; p.testing.assert_frame_equal(f, f)"
            ),
            "pandas time zones": (
                "import pandas as p; p.Timestamp('2024-07-01', tz='America/New_York').tz_convert("
                "'Asia/Tokyo')"
            ),
            "uvicorn": "import uvicorn; uvicorn.Config('x:y', log_config=None)",
        },
    ),
    "science": Group(
        ("scipy", "scikit-learn", "statsmodels", "sympy", "networkx", "scikit-image", "xarray"),
        {
            "scipy.stats": "from scipy import stats; assert stats.norm.cdf(0) == 0.5",
            "scipy.signal": "from scipy import signal; signal.butter(3, 0.2)",
            "scipy.optimize": (
                "from scipy.optimize import minimize; assert abs(minimize(lambda x: (x[0] - 1)**2,"
                " [0]).x[0] - 1) < 1e-3"
            ),
            "sklearn fits": (
                "from sklearn.linear_model import LogisticRegression as L\n"
                "from sklearn.datasets import load_iris\nx, y = load_iris(return_X_y=True)\n"
                "assert L(max_iter=500).fit(x, y).score(x, y) > 0.9"
            ),
            "sklearn's descriptions of data sets": (
                "from sklearn.datasets import load_wine; assert 'wine' in load_wine().DESCR.lower()"
            ),
            "sklearn shows an estimator as HTML": (
                "from sklearn.svm import SVC; assert '<' in SVC()._repr_html_()"
            ),
            "statsmodels": (
                "import statsmodels.api as s, numpy as n; r = s.OLS(n.arange(9.),"
                " s.add_constant(n.arange(9.))).fit(); assert r.summary()"
            ),
            "sympy": "import sympy as s; x = s.Symbol('x'); assert s.diff(x**2, x) == 2 * x",
            "sympy.lambdify": (
                "import sympy as s; x = s.Symbol('x'); assert s.lambdify(x, x + 1)(1) == 2"
            ),
            "networkx": "import networkx as n; assert n.pagerank(n.karate_club_graph())",
            "skimage": (
                "from skimage import data, filters; assert filters.sobel(data.camera()).shape"
            ),
            "skimage loads lazily by stubs": "import skimage; skimage.measure.label",
            "xarray": "import xarray as x; assert x.DataArray([1, 2]).mean() == 1.5",
            "xarray as HTML": "import xarray as x; assert x.DataArray([1])._repr_html_()",
        },
    ),
    "plots": Group(
        ("matplotlib", "seaborn", "plotly", "bokeh", "altair", "pillow"),
        {
            "matplotlib draws": (
                "import matplotlib; matplotlib.use('Agg'); import matplotlib.pyplot as p\n"
                "p.style.use('ggplot'); p.plot([1, 2]); p.title(r'$x^2$'); p.savefig('a.png')\n"
                "p.savefig('a.pdf'); p.savefig('a.svg')"
            ),
            "seaborn": (
                "import matplotlib; matplotlib.use('Agg'); import seaborn as s, pandas as p;"
                " s.histplot(p.DataFrame({'a': [1, 2, 3]}), x='a')"
            ),
            "plotly": ("import plotly.express as e; assert e.scatter(x=[1], y=[2]).to_html()"),
            "plotly data": "import plotly.express as e; assert len(e.data.iris())",
            "bokeh": (
                "from bokeh.plotting import figure; from bokeh.embed import file_html;"
                " f = figure(); f.line([1], [2]); assert file_html(f)"
            ),
            "bokeh inline resources": (
                "from bokeh.resources import INLINE; assert INLINE.render()"
            ),
            "altair": (
                "import altair as a, pandas as p; assert a.Chart(p.DataFrame({'x': [1]})"
                ").mark_bar().encode(x='x:Q').to_json()"
            ),
            "pillow": (
                "from PIL import Image, ImageDraw, ImageFont; i = Image.new('RGB', (9, 9));"
                " ImageDraw.Draw(i).text((0, 0), 'a'); i.save('a.jpg'); i.save('a.webp')"
            ),
        },
    ),
    "storage": Group(
        ("pyarrow", "tables", "h5py", "zarr", "sqlalchemy", "fsspec", "dask[dataframe]"),
        {
            "pyarrow parquet": (
                "import pyarrow as p, pyarrow.parquet as q; q.write_table(p.table({'a': [1]}),"
                " 'a.parquet'); assert q.read_table('a.parquet').num_rows == 1"
            ),
            "pyarrow dataset and flight": "import pyarrow.dataset, pyarrow.compute, pyarrow.fs",
            "tables": (
                "import tables as t; f = t.open_file('a.h5', 'w'); f.create_array('/', 'a', [1]);"
                " f.close()"
            ),
            "h5py": ("import h5py; f = h5py.File('b.h5', 'w'); f['a'] = [1, 2]; f.close()"),
            "zarr": "import zarr; z = zarr.zeros((4, 4)); z[0] = 1; assert z[0, 0] == 1",
            "sqlalchemy": (
                "import sqlalchemy as s; e = s.create_engine('sqlite://'); e.connect().execute("
                "s.text('select 1'))"
            ),
            "dask reads its yaml": (
                "import dask; assert dask.config.get('temporary-directory', 0) != 1;"
                " import dask.array as a; assert a.ones(9).sum().compute() == 9"
            ),
            "dask dataframe": (
                "import dask.dataframe as d, pandas as p; assert d.from_pandas(p.DataFrame("
                "{'a': [1, 2]}), npartitions=1).a.sum().compute() == 3"
            ),
        },
    ),
    "compilers": Group(
        ("numba", "cython", "cffi", "numexpr", "setuptools"),
        {
            "numba": ("import numba\n@numba.njit\ndef f(x):\n    return x + 1\nassert f(1) == 2"),
            "numba parallel": (
                "import numba, numpy as n\n@numba.njit(parallel=True)\ndef f(a):\n    s = 0\n"
                "    for i in numba.prange(len(a)):\n        s += a[i]\n    return s\n"
                "assert f(n.ones(9)) == 9"
            ),
            "numba vectorize": (
                "import numba, numpy as n\n@numba.vectorize(['f8(f8)'])\ndef f(x):\n"
                "    return x + 1\nassert f(n.zeros(2)).sum() == 2"
            ),
            "cython compiles a module": (
                "import pyximport, sys; open('m_y_.pyx', 'w').write('cdef int a = 4\\nb = a')\n"
                "pyximport.install(build_dir='b'); sys.path.insert(0, '.')\n"
                "import m_y_; assert m_y_.b == 4"
            ),
            "cython.inline": (
                "import Cython; assert Cython.inline('return a + 1', a=1, quiet=True) == 2"
            ),
            "cffi compiles": (
                "import cffi; f = cffi.FFI(); f.cdef('int f(int);')\n"
                "f.set_source('_c', 'int f(int a) { return a + 1; }'); f.compile(verbose=False)\n"
                "import sys; sys.path.insert(0, '.'); import _c; assert _c.lib.f(1) == 2"
            ),
            "numexpr": "import numexpr as e, numpy as n; assert e.evaluate('1 + 1') == 2",
            "setuptools": "import setuptools; from setuptools import setup, Extension",
        },
    ),
    "cloud": Group(
        (
            "boto3",
            "google-api-python-client",
            "requests",
            "httpx",
            "grpcio",
            "protobuf",
            "cryptography",
            "aiohttp",
            "paramiko",
        ),
        {
            "boto3 clients": (
                "import boto3\nfor s in ('s3', 'sqs', 'dynamodb', 'ec2', 'lambda'):\n"
                "    boto3.client(s, region_name='eu-west-1')"
            ),
            "boto3 resources": "import boto3; boto3.resource('s3', region_name='eu-west-1')",
            "boto3 documents itself": (
                "import boto3; c = boto3.client('s3', region_name='eu-west-1');"
                " assert 'bucket' in c.list_buckets.__doc__.expandtabs()"
            ),
            "google discovery documents": (
                "from googleapiclient.discovery import build;"
                " build('drive', 'v3', developerKey='x', static_discovery=True)"
            ),
            "requests and certifi": (
                "import requests, certifi, os; assert os.path.getsize(certifi.where())"
            ),
            "httpx": "import httpx; httpx.Client()",
            "grpc": "import grpc; grpc.insecure_channel('localhost:1').close()",
            "protobuf": (
                "from google.protobuf import timestamp_pb2 as t, json_format as j;"
                " assert j.MessageToJson(t.Timestamp(seconds=1))"
            ),
            "cryptography": "from cryptography.fernet import Fernet as F; F(F.generate_key())",
            "aiohttp": "import aiohttp.web; aiohttp.web.Application()",
            "paramiko": "import paramiko; paramiko.SSHClient()",
        },
    ),
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
    "astro": Group(
        ("astropy",),
        {
            "astropy units": (
                "from astropy import units as u; assert (1 * u.km).to(u.m).value == 1e3"
            ),
            "astropy time": "from astropy.time import Time; assert Time('2024-01-01').jd",
            "astropy tables": (
                "from astropy.table import Table; assert Table({'a': [1]}).pformat()"
            ),
            "astropy fits": ("from astropy.io import fits; fits.PrimaryHDU().writeto('a.fits')"),
            "astropy.test is callable": "import astropy; assert callable(astropy.test)",
        },
    ),
    "geo": Group(
        ("geopandas", "pyproj", "shapely", "rasterio", "opencv-python-headless", "imageio"),
        {
            "pyproj": (
                "import pyproj; assert pyproj.Transformer.from_crs(4326, 3857).transform(1, 1)"
            ),
            "shapely": "import shapely; assert shapely.Point(0, 0).buffer(1).area > 3",
            "geopandas": (
                "import geopandas as g; from shapely import Point; f = g.GeoDataFrame("
                "geometry=[Point(0, 0)], crs=4326); assert len(f.to_crs(3857));"
                " f.to_file('a.gpkg'); assert len(g.read_file('a.gpkg')) == 1"
            ),
            "rasterio": (
                "import rasterio, numpy as n; from rasterio.crs import CRS\n"
                "with rasterio.open('a.tif', 'w', driver='GTiff', width=2, height=2, count=1,"
                " dtype='uint8', crs=CRS.from_epsg(4326)) as f:\n"
                "    f.write(n.zeros((1, 2, 2), 'uint8'))"
            ),
            "cv2": "import cv2, numpy as n; cv2.imwrite('a.png', n.zeros((4, 4, 3), 'uint8'))",
            "imageio": (
                "import imageio.v3 as i, numpy as n; i.imwrite('b.png', n.zeros((4, 4), 'uint8'))"
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
    "torch": Group(
        ("torch==2.13.0+cpu",),
        {
            "torch": "import torch; assert (torch.ones(2, 2) @ torch.ones(2, 2)).sum() == 8",
            "torch trains": (
                "import torch; m = torch.nn.Linear(2, 1); o = torch.optim.Adam(m.parameters());"
                " m(torch.ones(1, 2)).sum().backward(); o.step()"
            ),
            "TorchScript reads sources": (
                "import torch\nopen('m_.py', 'w').write('import torch\\n@torch.jit.script\\n"
                "def f(x: torch.Tensor):\\n    return x + 1\\n')\n"
                "import sys; sys.path.insert(0, '.'); import m_; m_.f(torch.ones(1))"
            ),
            "torch.compile": (
                "import torch; f = torch.compile(lambda x: x * 2 + 1); assert f(torch.ones(9)"
                ").sum() == 27"
            ),
            "torch.testing": (
                "import torch; torch.testing.assert_close(torch.ones(1), torch.ones(1))"
            ),
            "torch saves": "import torch; torch.save({'a': 1}, 'a.pt'); torch.load('a.pt')",
            "torch.utils.data workers": (
                "import torch.utils.data as d\nif __name__ == '__main__':\n"
                "    assert len(list(d.DataLoader(list(range(8)), batch_size=4, num_workers=1)))"
            ),
            "torch.distributed": "import torch.distributed as d; assert d.is_available()",
            "torch.export": (
                "import torch\nclass M(torch.nn.Module):\n    def forward(self, x):\n"
                "        return x + 1\ntorch.export.export(M(), (torch.ones(2),))"
            ),
        },
    ),
}
