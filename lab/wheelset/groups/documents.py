"""Documents, pictures, sounds and shapes: default templates, fonts, codecs, sample files."""

from __future__ import annotations

from inspect import cleandoc as code

from .model import Group

GROUPS: dict[str, Group] = {
    "documents": Group(
        (
            "openpyxl",
            "xlsxwriter",
            "reportlab",
            "weasyprint",
            "pypdf",
            "pdfminer.six",
            "pymupdf",
            "python-docx",
            "python-pptx",
            "fpdf2",
            "markdown",
            "svglib",
            "qrcode",
            "python-barcode",
            "phonenumbers",
            "faker",
            "pycountry",
            "holidays",
            "wordcloud",
            "textblob",
            "pypinyin",
            "emoji",
            "inflect",
            "num2words",
            "pint",
        ),
        {
            "openpyxl and xlsxwriter": code("""
                import openpyxl, xlsxwriter
                b = xlsxwriter.Workbook('a.xlsx'); s = b.add_worksheet(); s.write(0, 0, 1)
                c = b.add_chart({'type': 'line'}); c.add_series({'values': '=Sheet1!$A$1'})
                s.insert_chart('B1', c); b.close()
                w = openpyxl.load_workbook('a.xlsx'); assert w.active['A1'].value == 1
                w.save('b.xlsx'); from openpyxl.formula.translate import Translator
            """),
            "reportlab with its fonts and bar codes": code("""
                from reportlab.pdfgen.canvas import Canvas
                from reportlab.pdfbase import pdfmetrics, ttfonts, cidfonts
                pdfmetrics.registerFont(ttfonts.TTFont('Vera', 'Vera.ttf'))
                pdfmetrics.registerFont(cidfonts.UnicodeCIDFont('HeiseiMin-W3'))
                c = Canvas('a.pdf'); c.setFont('Vera', 9); c.drawString(9, 9, 'x')
                from reportlab.graphics.barcode import code128, qr, createBarcodeDrawing
                code128.Code128('a').drawOn(c, 9, 99); c.save()
                createBarcodeDrawing('QR', value='a').save(fnRoot='q', formats=['svg'])
                from reportlab.graphics.charts import barcharts, piecharts
            """),
            "weasyprint": code("""
                import ctypes.util, weasyprint
                weasyprint.HTML(string='<h1>a</h1><p lang=de>Silbentrennung').write_pdf('a.pdf')
            """),
            "pypdf, pdfminer and pymupdf read a page": code("""
                import fpdf, pypdf, pdfminer.high_level as h, pymupdf
                p = fpdf.FPDF(); p.add_page(); p.set_font('helvetica'); p.cell(text='Hello')
                p.output('a.pdf')
                assert 'Hello' in pypdf.PdfReader('a.pdf').pages[0].extract_text()
                assert 'Hello' in h.extract_text('a.pdf')
                d = pymupdf.open('a.pdf'); assert 'Hello' in d[0].get_text()
                d[0].get_pixmap().save('a.png'); d[0].insert_text((9, 9), 'x', fontname='helv')
            """),
            "pdfminer's maps of characters": code("""
                from pdfminer.cmapdb import CMapDB
                assert CMapDB.get_cmap('UniJIS-UCS2-H') and CMapDB.get_unicode_map('Adobe-Japan1')
            """),
            "python-docx from its template": code("""
                import docx; d = docx.Document(); d.add_heading('a'); d.add_table(1, 1)
                d.sections[0].header.paragraphs[0].text = 'h'; d.sections[0].footer.is_linked_to_previous
                d.add_comment(d.paragraphs[0].runs, 'c'); d.save('a.docx')
                assert docx.Document('a.docx').paragraphs[0].text == 'a'
            """),
            "python-pptx from its template": code("""
                import pptx; from pptx.chart.data import CategoryChartData as D
                from pptx.enum.chart import XL_CHART_TYPE as T
                p = pptx.Presentation(); s = p.slides.add_slide(p.slide_layouts[5])
                d = D(); d.categories = ['a']; d.add_series('x', (1,)); s.notes_slide
                s.shapes.add_chart(T.PIE, 0, 0, 9999, 9999, d); p.save('a.pptx')
            """),
            "markdown by its extensions": code("""
                import markdown; e = ['extra', 'codehilite', 'toc', 'admonition', 'meta', 'smarty']
                assert '<h1' in markdown.markdown('# a', extensions=e)
            """),
            "svglib, qrcode and bar codes": code("""
                import svglib.svglib as s, qrcode, qrcode.image.svg, barcode, barcode.writer as w
                qrcode.make('a').save('a.png'); qrcode.make('a', image_factory=
                    qrcode.image.svg.SvgImage).save('a.svg'); assert s.svg2rlg('a.svg')
                barcode.get('ean13', '123456789012', writer=w.ImageWriter()).save('b')
            """),
            "fpdf2 with pictures and hyphens": code("""
                import fpdf; p = fpdf.FPDF(); p.add_page(); p.set_font('times')
                p.write_html('<h1>a</h1><table><tr><td>b</table>'); p.output('a.pdf')
            """),
            "phone numbers of the world": code("""
                import phonenumbers as p; from phonenumbers import geocoder, carrier, timezone
                n = p.parse('+390612345678'); assert geocoder.description_for_number(n, 'en')
                assert timezone.time_zones_for_number(n); assert carrier.name_for_number(n, 'en') == ''
                assert list(p.PhoneNumberMatcher('+39 06 1234 5678', 'IT'))
            """),
            "faker in ten languages": code("""
                import faker
                for l in ('en_US', 'de_DE', 'ja_JP', 'it_IT', 'zh_CN', 'ar_AA', 'ru_RU'):
                    f = faker.Faker(l); assert f.name() and f.address() and f.text()
                assert f.profile() and faker.Faker().file_name()
            """),
            "countries and holidays": code("""
                import pycountry, holidays
                assert pycountry.countries.get(alpha_2='IT').name == 'Italy'
                assert pycountry.subdivisions.get(code='IT-RM') and pycountry.languages.get(alpha_2='it')
                assert holidays.country_holidays('DE', years=2024, language='en_US')
            """),
            "words in clouds, blobs and languages": code("""
                import wordcloud, textblob, pypinyin, emoji, inflect, num2words
                wordcloud.WordCloud().generate('a few words and words').to_file('a.png')
                assert wordcloud.STOPWORDS
                assert pypinyin.lazy_pinyin('中心') == ['zhong', 'xin']
                assert emoji.demojize('\\N{GRINNING FACE}', language='de') and emoji.emojize(':x:')
                assert inflect.engine().plural('cat') == 'cats' and num2words.num2words(3, lang='de')
                from textblob.en import sentiments; import textblob.en.sentiments
                assert textblob.TextBlob('good').sentiment.polarity > 0
            """),
            "pint": code("""
                import pint; u = pint.UnitRegistry(); assert (1 * u.km).to('m').magnitude == 1000
                assert u.Quantity('3 inch').to_base_units()
            """),
        },
    ),
    "media": Group(
        (
            "librosa",
            "soundfile",
            "av",
            "moviepy",
            "trimesh",
            "vtk",
            "pyvista",
            "SimpleITK",
            "pydicom",
            "nibabel",
            "imageio",
            "imageio-ffmpeg",
            "pillow-heif",
            "matplotlib",
            "pywavelets",
            "meshio",
            "pygame",
            "mido",
            "music21",
            "pytest",
        ),
        {
            "librosa loads lazily, and its examples' index": code("""
                import librosa, numpy as n
                y = n.sin(n.arange(22050) / 9.0); assert librosa.feature.mfcc(y=y, sr=22050).shape
                librosa.util.list_examples(); librosa.beat.beat_track(y=y, sr=22050)
                librosa.effects.time_stretch(y, rate=2.0); import librosa.display
            """),
            "soundfile": code("""
                import soundfile as s, numpy as n
                for k in ('wav', 'flac', 'ogg', 'mp3'):
                    s.write('a.' + k, n.zeros(900), 22050); assert len(s.read('a.' + k)[0])
            """),
            "av and imageio-ffmpeg encode": code("""
                import av, numpy as n, imageio.v3 as i
                with av.open('a.mp4', 'w') as c:
                    s = c.add_stream('mpeg4', 24); s.width = s.height = 64; s.pix_fmt = 'yuv420p'
                    for _ in range(3):
                        c.mux(s.encode(av.VideoFrame.from_ndarray(n.zeros((64, 64, 3), 'uint8'))))
                    c.mux(s.encode())
                assert len(list(av.open('a.mp4').decode(video=0))) == 3
                import imageio_ffmpeg as f; assert f.get_ffmpeg_version()
                assert i.imread('a.mp4', plugin='pyav').shape[0] == 3
            """),
            "moviepy": code("""
                import moviepy as m
                c = m.ColorClip((64, 64), (9, 9, 9), duration=0.2).with_effects([m.vfx.FadeIn(0.1)])
                c.write_videofile('a.mp4', fps=10, logger=None)
                assert m.VideoFileClip('a.mp4').duration
            """),
            "trimesh": code("""
                import trimesh, os; b = trimesh.creation.box()
                for k in ('stl', 'ply', 'obj', 'glb', 'off'):
                    b.export('a.' + k); assert trimesh.load('a.' + k)
                assert b.convex_hull.volume == 1; trimesh.available_formats()
            """),
            "trimesh's page of a scene and units": code("""
                import trimesh; s = trimesh.Scene([trimesh.creation.box()])
                from trimesh.viewer import scene_to_html as h; assert len(h(s)) > 1000
                from trimesh import units; assert units.unit_conversion('inch', 'mm') > 25
            """),
            "vtk computes": code("""
                import vtk; s = vtk.vtkSphereSource(); w = vtk.vtkSTLWriter()
                w.SetInputConnection(s.GetOutputPort()); w.SetFileName('a.stl'); w.Write()
                from vtkmodules.util.numpy_support import vtk_to_numpy; import vtkmodules.all
            """),
            "pyvista and its examples": code("""
                import pyvista as p; from pyvista import examples as e
                assert e.load_airplane().n_points and e.load_uniform().n_cells and e.load_hexbeam()
                m = p.Sphere().clip()
                m.save('a.vtp'); assert p.read('a.vtp').n_points and m._repr_html_()
                import pyvista.ext; p.Report
            """),
            "pyvista draws offscreen": code("""
                import pyvista as p; p.OFF_SCREEN = True
                q = p.Plotter(off_screen=True, window_size=(64, 64)); q.add_mesh(p.Sphere())
                q.add_text('x'); q.screenshot('a.png'); q.close()
            """),
            "SimpleITK": code("""
                import SimpleITK as s; i = s.GaussianSource(s.sitkUInt8, [16, 16])
                for k in ('nrrd', 'mha', 'png', 'nii.gz', 'dcm'):
                    s.WriteImage(i, 'a.' + k); assert s.ReadImage('a.' + k).GetSize()[0] == 16
            """),
            "pydicom and its data": code("""
                import pydicom, pydicom.data as d, pydicom.examples as e
                assert e.ct.pixel_array.shape and d.get_testdata_file('CT_small.dcm', download=False)
                assert d.get_charset_files('chrH31.dcm') and d.get_palette_files('pet.dcm')
                assert pydicom.datadict.keyword_for_tag(0x00100010) == 'PatientName'
                import pydicom.uid, pydicom.sr; from pydicom.sr import codes; codes.SCT.Abdomen
            """),
            "nibabel and its data": code("""
                import nibabel as b, numpy as n, os
                from nibabel.testing import data_path; assert os.listdir(data_path)
                i = b.load(os.path.join(data_path, 'example4d.nii.gz')); assert i.shape
                b.save(b.Nifti1Image(n.zeros((4, 4, 4)), n.eye(4)), 'a.nii'); assert b.load('a.nii')
                b.viewers, b.freesurfer, b.streamlines
                from nibabel.tests.nibabel_data import get_nibabel_data
            """),
            "heif, wavelets and meshes": code("""
                import pillow_heif, pywt, pywt.data, meshio
                assert pywt.data.camera().shape and pywt.data.ecg().shape and pywt.wavelist()
                pillow_heif.register_heif_opener(); from PIL import Image
                Image.new('RGB', (16, 16)).save('a.heif'); Image.open('a.heif').load()
                meshio.Mesh([[0, 0, 0.0], [1, 0, 0], [0, 1, 0]], [('triangle', [[0, 1, 2]])]
                            ).write('a.vtu'); assert meshio.read('a.vtu')
            """),
            "pygame without a screen, with its font": code("""
                import os; os.environ.update(SDL_VIDEODRIVER='dummy', SDL_AUDIODRIVER='dummy')
                import pygame; pygame.init(); s = pygame.display.set_mode((64, 64))
                s.blit(pygame.font.Font(None, 12).render('a', True, 'white'), (0, 0))
                pygame.mixer.init(); pygame.image.save(s, 'a.png')
                import pygame.sysfont, pygame.freetype; pygame.freetype.init()
                from pygame import examples
            """),
            "music21 and its scores": code("""
                import music21 as m; s = m.corpus.parse('bwv66.6'); assert s.analyze('key')
                s.write('midi', 'a.mid'); assert m.note.Note('C4').pitch.midi == 60
                m.converter.parse('tinynotation: 4/4 c4 d e f')
            """),
        },
    ),
}
