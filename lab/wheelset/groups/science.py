"""Science: arrays, statistics, plots, stars, maps."""

from __future__ import annotations

from .model import Group

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
}
