"""Tools of those who run machines: playbooks, crawlers, supervisors."""

from __future__ import annotations

from .helpers import runs
from .model import Group

GROUPS: dict[str, Group] = {
    "machines": Group(
        ("ansible", "ansible-lint", "molecule", "scrapy", "fabric", "supervisor", "yamllint"),
        {
            "ansible runs a playbook": runs("""
                write('p.yml', '- hosts: localhost\\n  connection: local\\n  gather_facts: true\\n'
                      '  tasks:\\n  - copy: {content: "{{ ansible_python.version.major }}",'
                      ' dest: "{{ lookup(\\'env\\', \\'HOME\\') }}/f"}\\n'
                      '  - assert: {that: "\\'/\\' is directory and 1 in [1] and x is not defined"}\\n'
                      '  - template: {src: t.j2, dest: "{{ playbook_dir }}/g"}\\n')
                write('t.j2', '{% if "abc" is match("a") %}{{ "a" | b64encode }}{% endif %}')
                run('ansible-playbook', 'p.yml'); assert open('g').read().strip() == 'YQ=='
            """),
            "ansible by tests of its own and of collections": runs("""
                write('p.yml', '- hosts: localhost\\n  gather_facts: false\\n  tasks:\\n'
                      '  - assert:\\n      that:\\n      - "\\'1.2\\' is version(\\'1.1\\', \\'>\\')"\\n'
                      '      - "\\'/etc\\' is ansible.builtin.exists"\\n'
                      '      - "\\'community.general.ini_file\\' is community.general.a_module"\\n'
                      '      - "[1] is ansible.builtin.subset([1, 2])"\\n'
                      '      - "\\'127.0.0.1\\' is ansible.utils.in_any_network([\\'127.0.0.0/8\\'])"\\n')
                run('ansible-playbook', 'p.yml', '-c', 'local')
            """),
            "ansible documents its modules and tests": runs("""
                assert 'dest' in run('ansible-doc', 'copy')
                assert 'community' in run('ansible-doc', 'community.general.ini_file')
                assert 'match' in run('ansible-doc', '-t', 'test', 'ansible.builtin.match')
                assert len(run('ansible-doc', '-t', 'test', '-l').splitlines()) > 20
                assert len(run('ansible-doc', '-t', 'filter', '-l').splitlines()) > 50
            """),
            "ansible begins roles and collections": runs("""
                run('ansible-galaxy', 'role', 'init', 'r')
                assert os.path.exists('r/tasks/main.yml') and os.path.exists('r/tests/test.yml')
                run('ansible-galaxy', 'collection', 'init', 'a.b')
                run('ansible-galaxy', 'collection', 'build', 'a/b')
                run('ansible-config', 'list'); run('ansible-inventory', '--list')
                run('ansible-galaxy', 'collection', 'list')
            """),
            "ansible-lint and yamllint": runs("""
                write('p.yml', '---\\n- name: A\\n  hosts: localhost\\n  tasks:\\n'
                      '    - name: B\\n      ansible.builtin.command: id\\n')
                run('git', 'init', '-q', '.')
                said = run('ansible-lint', '--offline', 'p.yml', wanted=2)
                assert 'no-changed-when' in said, said
                run('ansible-lint', '-L'); run('yamllint', 'p.yml')
            """),
            "molecule begins": runs("""
                run('molecule', 'drivers'); os.makedirs('roles/r'); os.chdir('roles/r')
                run('molecule', 'init', 'scenario'); run('molecule', '--version')
            """),
            "scrapy begins a project and crawls": runs("""
                run('scrapy', 'startproject', 'made'); os.chdir('made')
                run('scrapy', 'genspider', 'a', 'localhost')
                run('scrapy', 'genspider', '-t', 'crawl', 'b', 'localhost')
                import threading, http.server as h
                write('w/index.html', '<title>it</title>')
                from functools import partial
                s = h.HTTPServer(('127.0.0.1', 0), partial(h.SimpleHTTPRequestHandler,
                                                           directory='w'))
                threading.Thread(target=s.serve_forever, daemon=True).start()
                write('s.py', 'import scrapy\\nclass S(scrapy.Spider):\\n    name = "s"\\n'
                      '    start_urls = ["http://127.0.0.1:%d/"]\\n    def parse(self, r):\\n'
                      '        yield {"t": r.css("title::text").get()}\\n' % s.server_port)
                run('scrapy', 'runspider', 's.py', '-o', 'o.json'); s.shutdown()
                assert '"it"' in open('o.json').read()
            """),
            "scrapy's shell, bench and checks": runs("""
                run('scrapy', 'version', '-v'); run('scrapy', 'settings', '--get', 'BOT_NAME')
                run('scrapy', 'bench', '-s', 'CLOSESPIDER_TIMEOUT=1')
            """),
            "fabric and supervisor": runs("""
                write('fabfile.py', 'from fabric import task\\n@task\\ndef a(c): c.run("true")\\n')
                run('fab', 'a'); assert '[supervisord]' in run('echo_supervisord_conf')
            """),
            "supervisor serves its page": runs("""
                import socket, time, urllib.request as u
                k = socket.socket(); k.bind(('127.0.0.1', 0)); n = k.getsockname()[1]; k.close()
                write('s.conf', '[supervisord]\\nnodaemon=true\\n[inet_http_server]\\n'
                      'port=127.0.0.1:%d\\n[rpcinterface:supervisor]\\nsupervisor.'
                      'rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\\n' % n)
                p = subprocess.Popen(['supervisord', '-c', 's.conf'])
                try:
                    for _ in range(100):
                        try: page = u.urlopen('http://127.0.0.1:%d/' % n).read(); break
                        except OSError: time.sleep(0.1)
                    assert b'Supervisor' in page
                    assert u.urlopen('http://127.0.0.1:%d/stylesheets/supervisor.css' % n).read()
                finally: p.terminate(); p.wait()
            """),
        },
    ),
}
