# SPDX-License-Identifier: BSD-2-Clause
"""What `thongke snippet` prints, taken exactly as printed, counts one hit in a page or server of its kind: pages of a real
nginx (with SSI and sub_filter), a real PHP, a shell, node for the script of one's own. What only a browser can run is run
by the browser's tests; here its address is fetched. Varnish is stood in for by the test, which does what its include says."""
import base64
import hashlib
import html.parser
import json
import os
import re
import shutil
import signal
import subprocess

import pytest

from test_forms import Page
from world import BROWSER, THONGKED, Answer, eventually, free_port

THONGKE = os.path.join(os.path.dirname(THONGKED), "thongke")
IMAGES = ["img", "aspnet", "nukeviet", "joomla", "wordpress", "drupal"]
FORMS = ["script", *IMAGES, "iframe", "ssi", "esi", "nginx", "json", "text", "php", "busuanzi"]
# What a content management system's filter leaves of a page of somebody who may not do everything: the lists are those
# of its source, as far as they matter here.
KEPT = {
    "nukeviet": {"a", "b", "div", "img", "p", "span", "iframe", "figure"},
    "wordpress": {"a", "b", "div", "img", "p", "span", "dl", "dt", "dd", "figure", "section"},
    "joomla": None,
    "drupal": {"a", "em", "img", "p", "span", "dl", "dt", "dd", "figure"},
}
DROPPED_BY_JOOMLA = {"applet", "body", "bgsound", "base", "basefont", "embed", "frame", "frameset", "head", "html", "id",
                     "iframe", "ilayer", "layer", "link", "meta", "name", "object", "script", "style", "title", "xml"}
CONF = """
daemon off;
master_process off;
pid {dir}/nginx.pid;
error_log stderr;
events {{ }}
http {{
    access_log off;
    types {{ text/html html; }}
    client_body_temp_path {dir}/body;
    proxy_temp_path {dir}/proxy;
    fastcgi_temp_path {dir}/fastcgi;
    uwsgi_temp_path {dir}/uwsgi;
    scgi_temp_path {dir}/scgi;
    server {{
        listen 127.0.0.1:{port};
        root {dir}/pages;
        ssi on;
        location /filtered/ {{
            alias {dir}/pages/;
{sub_filter}
        }}
{location}
    }}
}}
"""


class Site:
    """A site with pages, thongked below /thongke/ of it by the lines that were printed, and what `snippet` says."""

    def __init__(self, world):
        self.daemon = world.thongked(site='site "a" { hosts = {"127.0.0.1"} }\n').start()
        self.dir, self.port = world.path("nginx"), free_port()
        os.makedirs(os.path.join(self.dir, "pages"))
        conf = os.path.join(self.dir, "nginx.conf")
        talk = self.snippet("nginx")[1]
        location = re.search(r"^    location .*?^    }$", talk, re.MULTILINE | re.DOTALL)[0]
        with open(conf, "w") as f:
            f.write(CONF.format(dir=self.dir, port=self.port, location=location, sub_filter=self.snippet("nginx")[0]))
        with open(os.path.join(self.dir, "log"), "wb") as log:
            self.process = subprocess.Popen(["nginx", "-p", self.dir, "-c", conf, "-e", "stderr"], cwd=self.dir,
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        world.started.append(self.stop)
        eventually(lambda: self.get("/").status in (403, 404), what="nginx answers")

    def stop(self):
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(timeout=10)

    def snippet(self, form, *options):
        done = subprocess.run([THONGKE, "-c", self.daemon.conf, "snippet", "-s", "a", "--for", form, *options],
                              capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout, done.stderr

    def page(self, name, body):
        with open(os.path.join(self.dir, "pages", name), "w") as f:
            f.write(f'<!DOCTYPE html><html lang="vi"><head><title>a page</title></head><body>{body}</body></html>')

    def get(self, target, referer=None) -> Answer:
        return self.daemon.request("GET", target, port=self.port, headers={"Referer": referer})

    def visit(self, target):
        """As a browser without scripts: the page, and every image and frame in it. The page's HTML."""
        address = f"http://127.0.0.1:{self.port}{target}"
        answer = self.get(target)
        assert answer.status == 200
        text = answer.body.decode()
        for element in Page(text).elements:
            if element["tag"] in ("img", "iframe"):
                assert self.get(element["src"], address).status == 200
        return text

    def hits(self):
        return self.daemon.counts()["hits"]["total"]

    def pages(self):
        return self.daemon.numbers().table("a", "pages")


@pytest.fixture
def site(world):
    return Site(world)


class Filter(html.parser.HTMLParser):
    """Leaves the elements that a system keeps."""

    def __init__(self, keeps, text):
        super().__init__(convert_charrefs=False)
        self.keeps, self.kept = keeps, ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        if self.keeps(tag):
            self.kept += self.get_starttag_text()

    def handle_endtag(self, tag):
        if self.keeps(tag):
            self.kept += f"</{tag}>"

    def handle_data(self, data):
        self.kept += data


@pytest.mark.parametrize("form", [*IMAGES, "iframe", "ssi"])
def test_in_a_page_it_counts_once(site, form):
    site.page("p.html", site.snippet(form)[0])
    for number in range(1, 3):
        text = site.visit("/p.html")
        assert site.hits() == number
    if form == "ssi":
        # The first paint has the numbers, and the fragment counted nothing.
        assert Page(text).rows()[0] == ("Hôm nay", "1")
        assert "#include" not in text
    eventually(lambda: site.pages() == {"/p.html": 2})


@pytest.mark.parametrize("form", list(KEPT))
def test_a_system_s_filter_leaves_it_whole(site, form):
    paste = site.snippet(form)[0]
    keeps = KEPT[form]
    kept = Filter(lambda tag: tag in keeps if keeps else tag not in DROPPED_BY_JOOMLA, paste).kept
    assert kept == paste
    site.page("p.html", kept)
    site.visit("/p.html")
    assert site.hits() == 1


def test_nginx_puts_it_into_pages_that_nobody_edits(site):
    site.page("p.html", "<p>old</p>")
    text = site.visit("/filtered/p.html")
    assert text.count("hit.svg") == 1 and text.index("hit.svg") < text.index("</body>")
    assert site.hits() == 1
    eventually(lambda: site.pages() == {"/filtered/p.html": 1})


def test_esi(site):
    paste = site.snippet("esi")[0]
    tag = re.search(r'<esi:include src="([^"]+)" onerror="continue"/>', paste)
    fragment = site.get(tag[1])
    assert fragment.headers["Cache-Control"] == "public, max-age=5"
    site.page("p.html", paste.replace(tag[0], fragment.body.decode()))
    assert Page(site.visit("/p.html")).rows()[0] == ("Hôm nay", "0")
    assert site.hits() == 1


@pytest.mark.parametrize("form", ["script", "busuanzi"])
def test_script_is_where_the_tag_says(site, form):
    paste = site.snippet(form)[0]
    script = Page(paste).all("script")[0]
    assert script["data-site"] == "a" and script.get("data-compat") == ("busuanzi" if form == "busuanzi" else None)
    answer = site.get(script["src"])
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/javascript; charset=utf-8")
    assert site.hits() == 0


def test_script_that_the_browser_checks(site):
    said = site.snippet("script")[1]
    address, integrity = re.search(r'src="([^"]+)" integrity="([^"]+)" crossorigin', said).groups()
    answer = site.get(address)
    assert answer.status == 200 and "immutable" in answer.headers["Cache-Control"]
    assert integrity == "sha256-" + base64.b64encode(hashlib.sha256(answer.body).digest()).decode()


def test_script_of_one_s_own(site):
    paste = site.snippet("json")[0]
    script = Page(paste).all("script")[0]["text"]
    assert Page(paste).all("b")[0]["id"] in script
    page = f"http://127.0.0.1:{site.port}/tin/1"
    browser = f"""
        const shown = {{}}, real = fetch;
        globalThis.document = {{ referrer: "", getElementById: () => shown }};
        globalThis.location = {{ href: {json.dumps(page)} }};
        globalThis.fetch = (path, options) => real(new URL(path, location.href),
            {{ ...options, headers: {json.dumps(BROWSER)} }});
        {script}
        process.on("exit", () => console.log(shown.textContent));
    """
    done = subprocess.run(["node", "-e", browser], capture_output=True, text=True, timeout=60)
    assert done.stdout.startswith("Hôm nay : 1, Hôm qua : 0, "), done
    eventually(lambda: site.pages() == {"/tin/1": 1})


@pytest.mark.skipif(not shutil.which("php"), reason="php-cli is not installed")
def test_php(site, world):
    port = free_port()
    root = world.path("php")
    os.makedirs(root)
    with open(os.path.join(root, "p.php"), "w") as f:
        f.write("<!DOCTYPE html><title>a page</title>\n" + site.snippet("php")[0] + "<p>end</p>\n")
    server = subprocess.Popen(["php", "-d", "display_errors=1", "-S", f"127.0.0.1:{port}", "-t", root],
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    world.started.append(lambda: (server.terminate(), server.wait()))
    page = eventually(lambda: site.daemon.request("GET", "/p.php?x=1", port=port))
    assert Page(page.body.decode()).rows()[0] == ("Hôm nay", "1")
    assert page.body.decode().endswith("</dl><p>end</p>\n")
    eventually(lambda: site.pages() == {"/p.php": 1})
    assert site.daemon.request("GET", "/p.php", port=port, headers={"User-Agent": "curl/7.88.1 of a bot"}).status == 200
    assert site.hits() == 1
    # Without thongked the page is whole, and empty where the counter was.
    site.daemon.stop()
    assert site.daemon.request("GET", "/p.php", port=port).body.decode().endswith('<dl class="thongke"></dl><p>end</p>\n')


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_text_in_a_shell(site):
    environment = {"PATH": os.environ["PATH"], "HTTP_USER_AGENT": BROWSER["User-Agent"], "REMOTE_ADDR": "192.0.2.1",
                   "HTTP_ACCEPT_LANGUAGE": BROWSER["Accept-Language"], "REQUEST_URI": "/cgi-bin/x?a=`id`&b='",
                   "HTTP_REFERER": "https://news.example/"}
    done = subprocess.run(["sh"], input=site.snippet("text")[0], env=environment, capture_output=True, text=True, timeout=60)
    assert done.stdout.startswith("Thống kê truy cập\nHôm nay : 1\n") and not done.stderr
    eventually(lambda: site.pages() == {"/cgi-bin/x": 1})


def test_places_and_policies(site):
    for form in FORMS:
        paste, talk = site.snippet(form)
        assert paste.endswith("\n") and "{" not in re.sub(r"[^\n]*(=>|\(|\{\"rows).*", "", paste)
        assert ("Content-Security-Policy" in talk) == (form not in ("php", "text"))
        assert ("location /thongke/ {" in talk and "ProxyPass /thongke/ " in talk) == (form not in ("php", "text"))
        away, talk = site.snippet(form, "--url", "https://stats.example.org/x")
        if form in ("php", "text"):
            assert away == paste
            continue
        assert 'https://stats.example.org/x/' in away and "https://stats.example.org" in talk
        assert "'self'" not in talk and "https://stats.example.org/" not in talk.split("Content-Security-Policy")[1]
    said = json.loads(subprocess.run([THONGKE, "-c", site.daemon.conf, "snippet", "--for", "img", "--json"],
                                     capture_output=True, timeout=60, check=True).stdout)
    assert said == {"schema": 1, "for": "img", "paste": site.snippet("img")[0], "csp": "img-src 'self'"}


@pytest.mark.parametrize("words", [["--for", "carrier-pigeon"], ["--url", "stats.example"], ["--url", "https://x/'><script>"],
                                   ["--url", "https:///x"], ["--ip", "192.0.2.1"]])
def test_what_makes_no_sense_is_refused(site, words):
    done = subprocess.run([THONGKE, "-c", site.daemon.conf, "snippet", *words], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1].startswith("thongke: ")


def test_with_a_prefix_that_is_not_stripped(site, world):
    with open(site.daemon.conf, "a") as f:
        f.write('base_path = "/dem"\n')
    paste, talk = site.snippet("img")
    assert 'src="/dem/hit.svg?s=a"' in paste
    assert "location /dem/ {" in talk and f"proxy_pass http://127.0.0.1:{site.daemon.port};" in talk
    assert f"ProxyPass /dem/ http://127.0.0.1:{site.daemon.port}/dem/" in talk


def test_help_names_every_form(site):
    help_text = subprocess.run([THONGKE, "--help"], capture_output=True, text=True, timeout=60, check=True).stdout
    assert all(form in help_text for form in FORMS)
