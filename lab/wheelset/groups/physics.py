"""Chemistry, biology, weather, optimisation, the sky: libraries with data and solvers inside."""

from __future__ import annotations

from inspect import cleandoc as code

from .model import Group

GROUPS: dict[str, Group] = {
    "models": Group(
        (
            "pymc",
            "arviz<1",
            "cvxpy",
            "pulp",
            "ortools",
            "pyomo",
            "highspy",
            "qutip",
            "casadi",
            "pyscipopt",
            "control",
            "simpy",
            "deap",
            "nevergrad",
            "prophet",
            "cmdstanpy",
            "cython",
            "setuptools",
            "filelock",
        ),
        {
            "pymc samples": code("""
                import pymc as p
                with p.Model():
                    p.Normal('x'); t = p.sample(20, tune=20, chains=1, cores=1, progressbar=False)
                import arviz; assert len(arviz.summary(t, round_to=3))
            """),
            "arviz's data, styles and pages": code("""
                import matplotlib; matplotlib.use('Agg'); import arviz as a
                d = a.load_arviz_data('centered_eight'); a.style.use('arviz-darkgrid')
                assert d._repr_html_() and a.plot_forest(d) is not None; a.loo(d, pointwise=True)
            """),
            "cvxpy by its solvers": code("""
                import cvxpy as c; x = c.Variable(2); p = c.Problem(c.Minimize(c.sum_squares(x - 1)))
                for s in c.installed_solvers():
                    if s in ('CLARABEL', 'OSQP', 'SCS'): assert p.solve(solver=s) < 1e-3
            """),
            "pulp by its solver": code("""
                import pulp; p = pulp.LpProblem(); x = pulp.LpVariable('x', 0, 4, 'Integer'); p += -x
                assert p.solve(pulp.PULP_CBC_CMD(msg=False)) == 1 and x.value() == 4
            """),
            "ortools": code("""
                from ortools.sat.python import cp_model as c; m = c.CpModel(); x = m.NewIntVar(0, 5, 'x')
                m.Maximize(x); s = c.CpSolver(); s.Solve(m); assert s.Value(x) == 5
                from ortools.linear_solver import pywraplp as w; assert w.Solver.CreateSolver('GLOP')
                from ortools.constraint_solver import pywrapcp, routing_enums_pb2
            """),
            "pyomo by highs": code("""
                import pyomo.environ as e; m = e.ConcreteModel(); m.x = e.Var(bounds=(0, 3))
                m.o = e.Objective(expr=-m.x); e.SolverFactory('appsi_highs').solve(m)
                assert m.x() == 3; import pyomo.dae, pyomo.gdp
            """),
            "qutip, which compiles coefficients": code("""
                import qutip as q
                assert q.mesolve(q.sigmax(), q.basis(2, 0), [0, 1], [], e_ops=[q.sigmaz()]).expect
                assert q.QobjEvo([q.sigmax(), [q.sigmaz(), 'sin(t)']])(0.0); q.about()
            """),
            "casadi makes and reads C": code("""
                import casadi as c; x = c.SX.sym('x'); f = c.Function('f', [x], [x ** 2])
                f.generate('f.c'); assert f(3) == 9
                s = c.nlpsol('s', 'ipopt', {'x': x, 'f': (x - 1) ** 2}, {'print_time': 0,
                             'ipopt.print_level': 0}); assert abs(s()['x'] - 1) < 1e-4
            """),
            "scip, control, simpy and deap": code("""
                import pyscipopt as s; m = s.Model(); m.hideOutput(); x = m.addVar(ub=2)
                m.setObjective(-x); m.optimize(); assert m.getVal(x) == 2
                import control, simpy, deap.tools, nevergrad as g
                r = g.optimizers.OnePlusOne(parametrization=2, budget=9).minimize(lambda x: x @ x)
                assert r.value is not None
            """),
            "prophet's compiled model": code("""
                import pandas as p, logging; logging.disable(logging.ERROR); from prophet import Prophet
                f = p.DataFrame({'ds': p.date_range('2024-01-01', periods=40), 'y': range(40)})
                m = Prophet().fit(f); assert len(m.predict(m.make_future_dataframe(3))) == 43
                m = Prophet(); m.add_country_holidays('DE')
            """),
        },
    ),
    "molecules": Group(
        (
            "rdkit",
            "biopython",
            "MDAnalysis",
            "pymatgen",
            "ase",
            "openmm",
            "mdtraj",
            "mendeleev",
            "periodictable",
            "openbabel-wheel",
        ),
        {
            "rdkit draws, and knows fragments": code(
                """
                from rdkit import Chem, RDConfig; from rdkit.Chem import Draw, AllChem, Descriptors
                m = Chem.AddHs(Chem.MolFromSmiles('CCO')); AllChem.EmbedMolecule(m, randomSeed=1)
                AllChem.MMFFOptimizeMolecule(m); Draw.MolToFile(m, 'a.png')
                from rdkit.Chem import ChemicalFeatures, FragmentCatalog, Fragments, QED
                import os; f = os.path.join(RDConfig.RDDataDir, 'BaseFeatures.fdef')
                assert ChemicalFeatures.BuildFeatureFactory(f).GetFeaturesForMol(m)
                assert Fragments.fr_Al_OH(m) == 1 and QED.qed(m) > 0
                from rdkit.Chem.FilterCatalog import FilterCatalogParams as F, FilterCatalog as C
                assert C(F(F.FilterCatalogs.PAINS)).GetNumEntries()
                from rdkit.Chem.Draw import rdMolDraw2D
            """
            ),
            "biopython": code("""
                from Bio import SeqIO, Align, Phylo; from Bio.Seq import Seq
                from Bio.Align import substitution_matrices as s; import io
                assert Seq('ATG').translate() == 'M' and s.load('BLOSUM62')['A', 'A'] == 4
                assert Phylo.read(io.StringIO('(a,b);'), 'newick').count_terminals() == 2
                from Bio import Entrez; from Bio.Entrez import Parser; from Bio.PDB import PDBParser
                import os; d = os.path.join(os.path.dirname(Parser.__file__), 'DTDs')
                assert len(os.listdir(d)) > 100; import Bio.Restriction as r; assert r.EcoRI.site
            """),
            "MDAnalysis": code("""
                import MDAnalysis as m, numpy as n
                u = m.Universe.empty(3, 1, atom_resindex=[0, 0, 0], trajectory=True)
                u.add_TopologyAttr('name', ['C', 'O', 'N']); u.atoms.write('a.gro')
                assert m.Universe('a.gro').select_atoms('name C').n_atoms == 1
                from MDAnalysis.analysis import rms, distances, align; m.lib.distances
            """),
            "pymatgen and its tables": code("""
                from pymatgen.core import Lattice, Structure, Element
                from pymatgen.symmetry.analyzer import SpacegroupAnalyzer as S
                s = Structure.from_spacegroup('Fm-3m', Lattice.cubic(5.6), ['Na', 'Cl'],
                                              [[0, 0, 0], [0.5, 0.5, 0.5]])
                assert S(s).get_space_group_number() == 225 and Element('Fe').atomic_mass
                s.to(filename='a.cif'); from pymatgen.io.vasp.sets import MPRelaxSet
                assert MPRelaxSet(s).incar; from pymatgen.analysis.local_env import CrystalNN
                assert CrystalNN().get_nn_info(s, 0)
                from pymatgen.analysis.diffraction.xrd import XRDCalculator as X; X().get_pattern(s)
            """),
            "ase and its data": code(
                """
                import ase.build as b, ase.io, ase.data; from ase.calculators.emt import EMT
                a = b.bulk('Cu'); a.calc = EMT(); assert a.get_potential_energy()
                ase.io.write('a.png', a); ase.io.write('a.xyz', a); assert b.molecule('H2O')
                from ase.collections import g2, dcdft, s22; assert len(g2.names) > 100
                assert s22['Water_dimer'] and dcdft['Cu']; import ase.spacegroup as s
                assert s.Spacegroup(225).symbol; from ase.db import connect; connect('a.db').write(a)
                import ase.test
            """
            ),
            "ase's command line": code("""
                import subprocess, sys
                for w in (['info', '--formats'], ['build', 'H2O', 'a.xyz']):
                    subprocess.run([sys.executable, '-m', 'ase', *w], check=True, stdout=-1)
            """),
            "openmm by its plugins and force fields": code("""
                import openmm as o, openmm.app as a, openmm.unit as u
                f = a.ForceField('amber14-all.xml', 'amber14/tip3p.xml'); m = a.Modeller(
                    a.Topology(), []); m.addSolvent(f, boxSize=o.Vec3(2, 2, 2) * u.nanometer)
                s = f.createSystem(m.topology); p = o.Platform.getPlatformByName('CPU')
                c = a.Simulation(m.topology, s, o.VerletIntegrator(0.001), p)
                c.context.setPositions(m.positions); c.minimizeEnergy(maxIterations=2); c.step(2)
                assert o.Platform.getNumPlatforms() >= 2
            """),
            "openmm tests itself": code("""
                import subprocess, sys
                subprocess.run([sys.executable, '-m', 'openmm.testInstallation'], check=True, stdout=-1)
            """),
            "mdtraj, mendeleev and periodictable": code("""
                import mdtraj as t, numpy as n; p = t.Topology(); c = p.add_chain()
                p.add_atom('C', t.element.carbon, p.add_residue('ALA', c))
                t.Trajectory(n.zeros((1, 1, 3)), p).save_pdb('a.pdb'); assert t.load('a.pdb').n_atoms
                import periodictable, mendeleev; assert periodictable.Fe.mass > 55
                assert mendeleev.element('Fe').name == 'Iron'; periodictable.formula('H2O').mass
                assert periodictable.Fe.xray.sftable.shape and periodictable.Fe.neutron.b_c
            """),
            "openbabel by its plugins and data": code("""
                from openbabel import pybel as b; m = b.readstring('smi', 'CCO'); m.make3D()
                assert m.write('pdb') and m.calcfp('maccs') and m.calcdesc() and len(b.informats) > 50
            """),
        },
    ),
    "earth": Group(
        (
            "obspy",
            "cartopy",
            "metpy",
            "scitools-iris",
            "netCDF4",
            "cftime",
            "sunpy[map,timeseries]",
            "astroquery",
            "yt",
            "pvlib",
            "skyfield",
            "ephem",
            "siphon",
            "cfgrib",
            "eccodes",
            "pysolar",
            "timezonefinder",
            "pyresample",
        ),
        {
            "obspy by its plugins and example data": code("""
                import matplotlib; matplotlib.use('Agg'); import obspy, io
                s = obspy.read(); s.filter('lowpass', freq=1); s.plot(outfile='a.png')
                i = obspy.read_inventory(); c = obspy.read_events(); assert len(c) and len(i)
                b = io.BytesIO(); s.write(b, 'MSEED'); b.seek(0); assert obspy.read(b)
                c.write('a.xml', 'QUAKEML'); i.write('b.xml', 'STATIONXML', validate=True)
                assert obspy.read_events('a.xml') and obspy.read_inventory('b.xml')
            """),
            "obspy's model of the earth": code("""
                from obspy.taup import TauPyModel as T
                assert T('iasp91').get_travel_times(10, 30) and T('ak135').get_ray_paths(10, 30)
                from obspy.geodetics import FlinnEngdahl as F; assert F().get_region(12, 42)
                from obspy.signal.invsim import corn_freq_2_paz; import obspy.signal.array_analysis
            """),
            "cartopy": code("""
                import matplotlib; matplotlib.use('Agg'); import cartopy.crs as c
                import matplotlib.pyplot as p; a = p.axes(projection=c.Robinson())
                a.gridlines(); a.stock_img(); p.savefig('a.png'); import cartopy.io.shapereader
            """),
            "metpy and its tables": code("""
                from metpy.units import units as u; import metpy.calc as m, metpy.plots as q
                assert m.dewpoint_from_relative_humidity(20 * u.degC, 0.5).magnitude < 20
                assert q.ctables.registry.get_colortable('NWSReflectivity')
                import metpy.io, metpy.interpolate
            """),
            "iris": code(
                """
                import iris, iris.cube, iris.coords as c, numpy as n
                x = iris.cube.Cube(n.zeros((2, 2)), 'air_temperature', units='K'); x.add_dim_coord(
                    c.DimCoord([0.0, 1.0], 'latitude', units='degrees'), 0)
                iris.save(x, 'a.nc'); assert iris.load_cube('a.nc').units == 'K'
                assert x._repr_html_(); import iris.quickplot, iris.util
            """
            ),
            "netCDF4, cftime and cf-units": code("""
                import netCDF4 as d, cftime as c
                with d.Dataset('a.nc', 'w') as f:
                    f.createDimension('t', 2); f.createVariable('x', 'f4', ('t',), zlib=True)[:] = 1
                assert d.Dataset('a.nc')['x'][0] == 1 and c.num2date(1, 'days since 2000-01-01')
                import cf_units as u; assert u.Unit('km').convert(1, 'm') == 1000
            """),
            "sunpy and its data": code("""
                import matplotlib; matplotlib.use('Agg'); import sunpy.map, numpy as n
                from sunpy.data.test import get_test_filepath as g
                m = sunpy.map.Map(g('aia_171_level1.fits')); m.plot()
                assert m.rotate().data.shape and m._repr_html_()
                import sunpy.coordinates, sunpy.visualization.colormaps as c; assert c.cmlist
            """),
            "astroquery knows its services": code("""
                import astroquery.simbad, astroquery.vizier, astroquery.gaia, astroquery.mast
                import astroquery.jplhorizons, astroquery.nist, astroquery.ned, astroquery.alma
                assert astroquery.simbad.Simbad.ROW_LIMIT is not None
                import astroquery.esasky, astroquery.eso, astroquery.heasarc
            """),
            "yt draws": code("""
                import yt, numpy as n; yt.set_log_level('error')
                d = yt.load_uniform_grid({'density': n.ones((8, 8, 8))}, (8, 8, 8))
                yt.SlicePlot(d, 'z', 'density').save('a.png'); assert d.all_data().sum('density')
                from yt.testing import fake_random_ds; assert fake_random_ds(8).all_data()
                import yt.sample_data.api, yt.visualization.color_maps
            """),
            "pvlib and its tables": code("""
                import pvlib, pandas as p; assert len(pvlib.pvsystem.retrieve_sam('CECMod')) and len(
                    pvlib.pvsystem.retrieve_sam('SandiaMod')); t = p.date_range('2024', periods=2,
                    freq='h', tz='UTC'); l = pvlib.location.Location(42, 12)
                assert len(l.get_clearsky(t)) and pvlib.location.lookup_altitude(42, 12) is not None
            """),
            "the sky by skyfield and ephem": code("""
                import skyfield.api as s, ephem; t = s.load.timescale(builtin=True)
                assert t.utc(2024, 1, 1).tt; from skyfield import almanac, data
                from skyfield.constellationlib import load_constellation_map as m; assert m()
                assert ephem.Sun('2024/1/1').ra and ephem.city('Rome') and ephem.constellation(
                    ephem.Mars('2024/1/1'))
            """),
            "grib by eccodes' definitions": code("""
                import eccodes as e, gribapi; h = e.codes_grib_new_from_samples('GRIB2')
                e.codes_set(h, 'shortName', 't'); assert e.codes_get(h, 'name') == 'Temperature'
                import cfgrib
            """),
            "time zones by place": code("""
                from timezonefinder import TimezoneFinder as T
                assert T().timezone_at(lng=12.5, lat=41.9) == 'Europe/Rome'
            """),
        },
    ),
}
