"""Databases, tables and pipelines: migrations, models, templates of projects."""

from __future__ import annotations

from inspect import cleandoc as code

from .helpers import serves
from .model import Group

GROUPS: dict[str, Group] = {
    "tables": Group(
        (
            "polars",
            "duckdb",
            "pymongo",
            "psycopg2-binary",
            "psycopg[binary]",
            "alembic",
            "sqlmodel",
            "great-expectations",
            "pandera",
            "ibis-framework[duckdb]",
            "deltalake",
            "ray",
            "pytest",
        ),
        {
            "polars": code("""
                import polars as p, polars.testing; f = p.DataFrame({'a': [1, 2]}); f.write_parquet('a.parquet')
                assert p.scan_parquet('a.parquet').select(p.col('a').sum()).collect()[0, 0] == 3
                p.testing.assert_frame_equal(f, f); assert '<table' in f._repr_html_()
                assert f.lazy().explain() and p.sql('select a from f').collect().height == 2
            """),
            "duckdb": code("""
                import duckdb as d; d.sql("copy (select 1 a) to 'a.parquet'")
                assert d.execute("from 'a.parquet'").fetchall() == [(1,)]
                import duckdb.experimental
            """),
            "drivers of databases": code("""
                import psycopg2, psycopg2.extras, psycopg, pymongo, bson, gridfs
                assert psycopg.pq.__impl__ == 'binary' and psycopg2.__libpq_version__
                try: psycopg2.connect('host=127.0.0.1 port=1')
                except psycopg2.OperationalError: pass
                assert bson.decode(bson.encode({'a': 1})) == {'a': 1}
            """),
            "alembic makes and runs a revision": serves("""
                for t in ('generic', 'async', 'multidb'):
                    run('alembic', 'init', '-t', t, t)
                run('alembic', 'init', 'm'); t = open('alembic.ini').read()
                write('alembic.ini', t.replace('driver://user:pass@localhost/dbname', 'sqlite:///a'))
                run('alembic', 'revision', '-m', 'one'); run('alembic', 'upgrade', 'head')
                assert 'head' in run('alembic', 'current')
            """),
            "sqlmodel": code("""
                from sqlmodel import SQLModel as M, Field, Session, create_engine, select
                class A(M, table=True): id: int = Field(primary_key=True)
                e = create_engine('sqlite://'); M.metadata.create_all(e)
                with Session(e) as s: s.add(A(id=1)); s.commit(); assert s.exec(select(A)).one().id == 1
            """),
            "great-expectations": code("""
                import great_expectations as g, pandas as p
                c = g.get_context(mode='ephemeral'); d = c.data_sources.add_pandas('a')
                b = d.add_dataframe_asset('b').add_batch_definition_whole_dataframe('c')
                r = b.get_batch({'dataframe': p.DataFrame({'a': [1]})}).validate(
                    g.expectations.ExpectColumnValuesToNotBeNull(column='a'))
                assert r.success and r.describe()
            """),
            "great-expectations makes pages": code("""
                import great_expectations as g
                c = g.get_context(mode='file', project_root_dir='p'); c.build_data_docs()
                import glob; assert glob.glob('p/**/index.html', recursive=True)
                assert glob.glob('p/**/*.css', recursive=True)
            """),
            "pandera": code("""
                import pandera.pandas as a, pandas as p
                a.DataFrameSchema({'a': a.Column(int)}).validate(p.DataFrame({'a': [1]}))
            """),
            "ibis": code("""
                import ibis; t = ibis.memtable({'a': [1, 2]}); assert t.a.sum().execute() == 3
                assert ibis.to_sql(t.a.max()) and ibis.examples
            """),
            "ibis's backends by entry point": code("""
                import ibis
                assert len(ibis.util.backend_entry_points()) > 5
            """),
            "deltalake": code("""
                import deltalake as d, pyarrow as p
                d.write_deltalake('t', p.table({'a': [1]})); assert d.DeltaTable('t').version() == 0
            """),
            "ray": code("""
                import ray; ray.init(num_cpus=1, include_dashboard=False, logging_level='ERROR',
                                     _temp_dir=None)
                @ray.remote
                def f(x): return x + 1
                assert ray.get(f.remote(1), timeout=120) == 2
                @ray.remote
                class A:
                    def g(self): return 1
                assert ray.get(A.remote().g.remote(), timeout=120) == 1; ray.shutdown()
            """),
        },
    ),
    "pipelines": Group(
        (
            "dbt-duckdb",
            "prefect",
            "dagster",
            "dagster-webserver",
            "luigi",
            "kedro",
        ),
        {
            "dbt begins, builds and documents a project": serves("""
                os.environ['DBT_SEND_ANONYMOUS_USAGE_STATS'] = 'false'
                run('dbt', 'init', '--skip-profile-setup', 'p_y_'); os.chdir('p_y_')
                write('profiles.yml', 'p_y_:\\n  target: d\\n  outputs:\\n    d: {type: duckdb,'
                      ' path: a.db}\\n')
                write('seeds/s.csv', 'a\\n1\\n')
                run('dbt', 'debug'); run('dbt', 'seed'); run('dbt', 'run'); run('dbt', 'docs', 'generate')
                said = subprocess.run(['dbt', 'test'], text=True, stdout=-1).stdout
                assert 'PASS' in said and 'Compilation' not in said, said
                assert os.path.getsize('target/index.html') > 1e5
                write('snapshots/s.sql', '{% snapshot n %}{{ config(target_schema="main", unique_key="a",'
                      ' strategy="check", check_cols="all") }} select * from {{ ref("s") }}{% endsnapshot %}')
                run('dbt', 'snapshot')
            """),
            "prefect's command line": serves("""
                os.environ['PREFECT_HOME'] = os.path.abspath('h')
                run('prefect', 'version'); run('prefect', 'config', 'view')
                run('prefect', 'init', '--recipe', 'local')
                run('prefect', 'block', 'type', '--help')
            """),
            "dagster scaffolds and materialises": serves("""
                os.environ['DAGSTER_HOME'] = os.getcwd(); write('dagster.yaml', '')
                write('a.py', 'import dagster as d\\n@d.asset\\ndef x(): return 1\\n'
                      'defs = d.Definitions(assets=[x])\\n')
                run('dagster', 'asset', 'materialize', '-f', 'a.py', '--select', 'x')
                run('dagster', 'project', 'scaffold', '--name', 'p')
            """),
            "dagster serves its page": serves("""
                os.environ['DAGSTER_HOME'] = os.getcwd(); write('dagster.yaml', '')
                write('a.py', 'import dagster as d\\ndefs = d.Definitions()\\n')
                with serves('dagster-webserver', '-f', 'a.py', '-p', PORT, seconds=120) as page:
                    assert fetch_all(page)
            """),
            "luigi serves its page": serves("""
                with serves('luigid', '--port', PORT, '--address', '127.0.0.1',
                            path='static/visualiser/index.html') as page:
                    assert len(fetch_all(page, 'static/visualiser/')) > 4
            """),
            "kedro begins a project": serves("""
                run('kedro', 'new', '--name', 'p y', '--tools', 'none', '--example', 'n',
                    '--telemetry', 'no')
                os.chdir('p-y'); run('kedro', 'registry', 'list'); run('kedro', 'info')
                run('kedro', 'catalog', '--help')
            """),
        },
    ),
}
