//! Routes of trees in each framework, and of two trees.

use std::sync::Arc;

use switchback_core::verdict::Verdict;
use switchback_core::world::{Disk, RealDisk};
use switchback_python::routes::{
    CompareRoutesOptions, RoutesComparison, RoutesOptions, RoutesOutcome, compare_routes, routes,
};

use crate::lay_out;

fn read(files: &[(&str, &str)]) -> RoutesOutcome {
    let folder = tempfile::tempdir().unwrap();
    lay_out(folder.path(), files);
    let options = RoutesOptions { root: folder.path().to_owned(), ..RoutesOptions::default() };
    routes(Arc::new(RealDisk), &options).unwrap()
}

/// The routes as `METHOD path handler`, those of the framework left out.
fn told(outcome: &RoutesOutcome) -> Vec<String> {
    outcome
        .routes
        .iter()
        .filter(|route| !route.is_implied)
        .map(|route| format!("{} {} {}", route.method, route.path, route.handler))
        .collect()
}

fn check(files: &[(&str, &str)], wanted: &[&str]) -> RoutesOutcome {
    let outcome = read(files);
    let undecided: Vec<String> =
        outcome.undecided.iter().map(|one| format!("{}: {}", one.what, one.why)).collect();
    assert_eq!(told(&outcome), wanted, "undecided: {undecided:?}");
    outcome
}

fn compared(old: &[(&str, &str)], new: &[(&str, &str)], moved: &[(&str, &str)]) -> RoutesComparison {
    let folder = tempfile::tempdir().unwrap();
    lay_out(&folder.path().join("."), &[("old/keep.txt", ""), ("new/keep.txt", "")]);
    lay_out(&folder.path().join("old"), old);
    lay_out(&folder.path().join("new"), new);
    let side = |name: &str| RoutesOptions { root: folder.path().join(name), ..RoutesOptions::default() };
    let moved = moved.iter().map(|(old, new)| ((*old).to_owned(), (*new).to_owned())).collect();
    let options = CompareRoutesOptions { old: side("old"), new: side("new"), moved };
    compare_routes(&(Arc::new(RealDisk) as Arc<dyn Disk>), &options).unwrap()
}

#[test]
fn fastapi_routers_meet_across_modules_with_their_prefixes() {
    let files = [
        ("app/__init__.py", ""),
        (
            "app/config.py",
            "class Settings(BaseSettings):\n    API: str = '/api/v1'\n    @property\n    def docs(self):\n        return f'{self.API}/docs'\nsettings = Settings()\n",
        ),
        (
            "app/items.py",
            "from fastapi import APIRouter\nrouter = APIRouter(prefix='/items')\n@router.get('/')\ndef many(): ...\n@router.api_route('/{id}', methods=['PUT', 'PATCH'])\nasync def change(id: int): ...\n@router.websocket('/live')\nasync def live(ws): ...\n",
        ),
        (
            "app/users.py",
            "import fastapi\nPATH = '/me'\nrouter = fastapi.APIRouter()\nclass Users:\n    @router.delete(PATH + '/all')\n    def drop(self): ...\ndef late(): ...\nrouter.add_api_route(path='/late', endpoint=late, methods=['POST'])\n",
        ),
        (
            "app/api.py",
            "from fastapi import APIRouter\nfrom . import items, users\nfrom app.config import settings\napi = APIRouter()\nfor one in (items.router, users.router):\n    api.include_router(one, prefix=settings.API)\n",
        ),
        (
            "app/main.py",
            "from fastapi import FastAPI\nfrom fastapi.staticfiles import StaticFiles\nfrom app.api import api\nfrom app.config import settings\napp = FastAPI(docs_url=settings.docs, redoc_url=None)\napp.include_router(api)\nsub = FastAPI(openapi_url=None)\n@sub.get('/x')\ndef x(): ...\napp.mount('/sub', sub)\napp.mount('/static', StaticFiles(directory='s'))\n",
        ),
    ];
    let outcome = check(
        &files,
        &[
            "GET /api/v1/items/ app.items:many",
            "PUT /api/v1/items/{id} app.items:change",
            "PATCH /api/v1/items/{id} app.items:change",
            "WEBSOCKET /api/v1/items/live app.items:live",
            "DELETE /api/v1/me/all app.users:Users.drop",
            "POST /api/v1/late app.users:late",
            "GET /sub/x app.main:x",
            "* /static/** fastapi.staticfiles:StaticFiles",
        ],
    );
    let implied: Vec<&str> =
        outcome.routes.iter().filter(|route| route.is_implied).map(|route| route.path.as_str()).collect();
    assert_eq!(implied, ["/openapi.json", "/api/v1/docs", "/docs/oauth2-redirect"]);
    assert_eq!(outcome.verdict(), Verdict::Yes);
}

#[test]
fn fastapi_applications_made_by_functions_and_classes_are_followed() {
    check(
        &[
            (
                "main.py",
                "from fastapi import FastAPI\nfrom routing import install\ndef create_app(prefix='/v2') -> FastAPI:\n    app = FastAPI(openapi_url=None)\n    install(app, prefix)\n    @app.get('/health')\n    def health(): ...\n    return app\n",
            ),
            (
                "routing.py",
                "def hello(): ...\ndef install(app, prefix):\n    app.add_api_route(f'{prefix}/hello', hello)\n",
            ),
            (
                "server.py",
                "from fastapi import FastAPI\nclass Server(FastAPI):\n    def __init__(self):\n        super().__init__(openapi_url=None)\n        self.get('/a')(self.a)\n    def a(self): ...\nclass Holder:\n    def __init__(self):\n        self.app = FastAPI(openapi_url=None)\n        self._routes()\n    def _routes(self):\n        self.app.add_api_route('/b', self.b)\n    def b(self): ...\nserver = Server()\n",
            ),
        ],
        &[
            "GET /a server:Server.a",
            "GET /v2/hello routing:hello",
            "GET /health main:create_app.health",
            "GET /b server:Holder.b",
        ],
    );
}

#[test]
fn starlette_lists_mounts_and_shadows_are_read() {
    let outcome = check(
        &[(
            "site.py",
            "from starlette.applications import Starlette\nfrom starlette.endpoints import HTTPEndpoint\nfrom starlette.routing import Route, Mount, WebSocketRoute\nasync def user(request): ...\nclass Page(HTTPEndpoint):\n    def get(self, request): ...\n    def post(self, request): ...\nusers = [Route('/{name}', user), Route('/me', user)]\nroutes = [Route('/', Page), Mount('/users', routes=users), Route('/users/late', user), WebSocketRoute('/ws', user)]\nroutes.append(Route('/{id:int}', user, methods=['DELETE']))\napp = Starlette(routes=routes)\n",
        )],
        &[
            "GET / site:Page",
            "POST / site:Page",
            "GET /users/{name} site:user",
            "GET /users/me site:user",
            "GET /users/late site:user",
            "WEBSOCKET /ws site:user",
            "DELETE /{id:int} site:user",
        ],
    );
    let noted: Vec<&str> =
        outcome.routes.iter().filter(|route| route.note.is_some()).map(|route| route.path.as_str()).collect();
    assert_eq!(noted, ["/users/me", "/users/late"]);
}

#[test]
fn lists_that_hold_something_else_and_alternatives_are_not_passed_over() {
    let outcome = read(&[
        (
            "site.py",
            "import os\nfrom starlette.applications import Starlette\nfrom starlette.routing import Route\nclass Own(Route): ...\nclass Strange: ...\ndef home(request): ...\napp = Starlette(routes=[Own('/a', home), Strange()])\n",
        ),
        (
            "web.py",
            "import os\nfrom fastapi import FastAPI\nif os.name == 'x':\n    app = FastAPI(openapi_url=None)\nelse:\n    app = FastAPI(openapi_url=None, debug=True)\n@app.get('/b')\ndef b(): ...\n",
        ),
        (
            "conf/urls.py",
            "from django.urls import path\nfrom registry import views\ndef made():\n    urls = []\n    for one in views:\n        urls.append(path(f'{one}/', one))\n    return urls\nurlpatterns = made()\n",
        ),
    ]);
    assert_eq!(told(&outcome), ["GET /a site:home", "GET /b web:b"]);
    let told: Vec<&str> = outcome.undecided.iter().map(|one| one.what.as_str()).collect();
    assert_eq!(told, ["an item of `routes`: site:Strange", "* /{?}/ → ?"]);
}

#[test]
fn what_does_not_parse_is_said_and_what_is_left_of_it_is_read() {
    let deep = format!("x = {}1{}\n", "(".repeat(2_000), ")".repeat(2_000));
    let outcome = read(&[
        (
            "main.py",
            "from fastapi import FastAPI\napp = FastAPI(openapi_url=None)\n@app.get('/a')\ndef a(): ...\nprint 'old'\n",
        ),
        (
            "circle.py",
            "from fastapi import APIRouter\nfrom circle import router as other\nrouter = APIRouter()\nrouter.include_router(router)\n",
        ),
        ("deep.py", &format!("import flask\n{deep}")),
        ("empty.py", ""),
    ]);
    assert_eq!(told(&outcome), ["GET /a main:a"]);
    let place = outcome.undecided.iter().find(|one| one.file == "main.py").unwrap();
    assert_eq!(place.line, 5);
    assert!(place.why.starts_with("it does not parse"), "{}", place.why);
    assert_eq!(outcome.verdict(), Verdict::Unknown);
}

#[test]
fn a_framework_is_known_even_if_its_code_lies_in_the_tree() {
    check(
        &[
            ("flask/__init__.py", "from .app import Flask\n"),
            ("flask/app.py", "class Flask: ...\n"),
            (
                "main.py",
                "from flask import *\nfrom flask import Flask\nimport flask\napp = Flask(__name__, static_folder=None)\nbp = flask.Blueprint('b', __name__)\n@bp.get('/b')\ndef b(): ...\napp.register_blueprint(bp)\n",
            ),
        ],
        &["GET /b main:b"],
    );
}

#[test]
fn flask_blueprints_nest_and_take_prefixes_where_they_are_registered() {
    check(
        &[
            (
                "shop/__init__.py",
                "from flask import Flask\ndef create_app():\n    app = Flask(__name__, static_folder=None)\n    from shop.auth import bp as auth\n    app.register_blueprint(auth, url_prefix='/login')\n    from shop import blog\n    blog.parent.register_blueprint(blog.child)\n    app.register_blueprint(blog.parent)\n    app.add_url_rule('/', endpoint='index', view_func=blog.index)\n    @app.route('/hello')\n    def hello(): ...\n    return app\n",
            ),
            (
                "shop/auth/__init__.py",
                "from flask import Blueprint\nbp = Blueprint('auth', __name__, url_prefix='/auth')\nfrom shop.auth import views\n",
            ),
            (
                "shop/auth/views.py",
                "from shop.auth import bp\n@bp.route('/', methods=('GET', 'POST'))\ndef start(): ...\n@bp.get('/<int:id>')\n@bp.get('/by/<id>')\ndef one(id): ...\n",
            ),
            (
                "shop/blog.py",
                "from flask import Blueprint\nfrom flask.views import MethodView\nparent = Blueprint('p', __name__, url_prefix='/blog')\nchild = Blueprint('c', __name__, url_prefix='/child')\ndef index(): ...\nclass Posts(MethodView):\n    def get(self): ...\n    def delete(self): ...\nchild.add_url_rule('/posts/', view_func=Posts.as_view('posts'))\n",
            ),
        ],
        &[
            "GET /login/ shop.auth.views:start",
            "POST /login/ shop.auth.views:start",
            "GET /login/by/<id> shop.auth.views:one",
            "GET /login/<int:id> shop.auth.views:one",
            "GET /blog/child/posts/ shop.blog:Posts",
            "DELETE /blog/child/posts/ shop.blog:Posts",
            "GET / shop.blog:index",
            "GET /hello shop:create_app.hello",
        ],
    );
}

const DJANGO_SETTINGS: (&str, &str) = ("site/settings.py", "ROOT_URLCONF = 'site.urls'\n");

#[test]
fn django_patterns_are_included_added_and_translated() {
    let outcome = check(
        &[
            DJANGO_SETTINGS,
            ("site/__init__.py", ""),
            (
                "site/urls.py",
                "from django.conf import settings\nfrom django.conf.urls.static import static\nfrom django.conf.urls.i18n import i18n_patterns\nfrom django.contrib import admin\nfrom django.contrib.auth.decorators import login_required\nfrom django.urls import include, path, re_path\nfrom site import views\nextra = [path('x/', views.home)]\nurlpatterns = [\n    path('', views.home, name='home'),\n    path('admin/', admin.site.urls),\n    path('shop/', include('site.shop', namespace='shop')),\n    path('pair/', include((extra, 'extra'))),\n    path('other/', include('other.urls')),\n    re_path(r'^year/(?P<year>[0-9]{4})/$', login_required(views.Year.as_view())),\n]\nurlpatterns += i18n_patterns(path('about/', views.about))\nif settings.DEBUG:\n    urlpatterns += static('/media/', document_root='m')\n",
            ),
            (
                "site/views.py",
                "from django.views import View\nfrom django.views.decorators.http import require_POST\ndef home(request): ...\n@require_POST\ndef about(request): ...\nclass Year(View):\n    def get(self, request, year): ...\n",
            ),
            (
                "site/shop.py",
                "from django.urls import path\nfrom . import views\napp_name = 'shop'\nurlpatterns = [path('<int:id>/', views.home), path('<slug:name>/', views.home)]\n",
            ),
        ],
        &[
            "* / site.views:home",
            "* /admin/** django.contrib.admin.site:urls",
            "* /shop/<int:id>/ site.views:home",
            "* /shop/<slug:name>/ site.views:home",
            "* /pair/x/ site.views:home",
            "* /other/** other:urls",
            "GET /^year/(?P<year>[0-9]{4})/$ site.views:Year",
            "POST /<language>/about/ site.views:about",
            "* /media/** django.conf.urls.static:static",
        ],
    );
    let normal = |path: &str| outcome.routes.iter().find(|route| route.path == path).unwrap().normal.clone();
    assert_eq!(normal("/^year/(?P<year>[0-9]{4})/$").as_deref(), Some("/year/{year}/"));
    assert_eq!(outcome.routes.last().unwrap().condition.as_deref(), Some("settings.DEBUG"));
}

#[test]
fn patterns_of_functions_and_computed_texts_are_read_or_listed() {
    let outcome = check(
        &[
            DJANGO_SETTINGS,
            ("site/__init__.py", ""),
            (
                "site/urls.py",
                "from django.urls import include, path\nfrom django.utils.translation import gettext_lazy as _\nfrom site import admin, inner, views\nurlpatterns = [path('{k}/<{k}:v>/'.format(k=kind), views.home) for kind in ('int', 'slug')]\nurlpatterns += [path(_('about/'), views.home), path('own/', admin.site.urls), path('three/', (admin.site.get_urls(), 'admin', 'three')), path('in/', include(inner.__name__))]\n",
            ),
            (
                "site/inner.py",
                "from django.urls import path\nfrom site.views import home\nurlpatterns = [path('x/', home)]\n",
            ),
            ("site/views.py", "def home(request): ...\n"),
            (
                "site/admin.py",
                "from django.contrib import admin\nclass Own(admin.AdminSite): ...\nsite = Own()\n",
            ),
            (
                "site/late.py",
                "from django.urls import include, path\ndef hooks():\n    return [path('late/', include('site.lately'))]\n",
            ),
            (
                "site/lately.py",
                "from django.urls import path\nfrom site.views import home\nurlpatterns = [path('y/', home)]\n",
            ),
        ],
        &[
            "* /int/<int:v>/ site.views:home",
            "* /slug/<slug:v>/ site.views:home",
            "* /about/ site.views:home",
            "* /own/** django.contrib.admin:AdminSite.urls",
            "* /in/x/ site.views:home",
        ],
    );
    let told: Vec<&str> = outcome.undecided.iter().map(|one| one.what.as_str()).collect();
    assert_eq!(
        told,
        ["path('three/', (admin.site.get_urls(), 'admin', 'three'))", "* …/late/y/ → site.views:home"]
    );
}

#[test]
fn conditions_and_methods_that_are_not_known_are_said() {
    let outcome = read(&[(
        "main.py",
        "import os\nfrom fastapi import FastAPI\napp = FastAPI(docs_url='/d' if os.getenv('X') else None)\nif os.getenv('DEBUG'):\n    @app.get('/debug')\n    def debug(): ...\ntry:\n    import extra\nexcept ImportError:\n    extra = None\napp.frontend('/', directory='dist')\napp.serve_somehow('/new')\n",
    )]);
    assert_eq!(told(&outcome), ["GET /debug main:debug", "* /** fastapi:FastAPI.frontend"]);
    assert_eq!(
        outcome.routes.iter().find(|one| one.path == "/debug").unwrap().condition.as_deref(),
        Some("os.getenv('DEBUG')")
    );
    assert!(outcome.routes.iter().any(|one| one.path == "/d" && one.is_implied));
    let told: Vec<(usize, &str)> =
        outcome.undecided.iter().map(|one| (one.line, one.what.as_str())).collect();
    assert_eq!(told, [(12, "app.serve_somehow('/new')")]);
}

#[test]
fn view_sets_of_django_rest_framework_get_their_routes() {
    check(
        &[
            DJANGO_SETTINGS,
            (
                "site/urls.py",
                "from django.urls import path, include\nfrom rest_framework.routers import SimpleRouter\nfrom rest_framework import viewsets, mixins\nfrom rest_framework.decorators import action\nclass Base(mixins.ListModelMixin, viewsets.GenericViewSet): ...\nclass Users(Base):\n    lookup_field = 'name'\n    def destroy(self, request, name): ...\n    @action(detail=True, methods=['post'], url_path='ban')\n    def ban_it(self, request, name): ...\nrouter = SimpleRouter()\nrouter.register('users', Users)\nurlpatterns = [path('api/', include(router.urls))]\n",
            ),
        ],
        &[
            "GET /api/^users/$ site.urls:Users",
            "DELETE /api/^users/(?P<name>[^/.]+)/$ site.urls:Users",
            "POST /api/^users/(?P<name>[^/.]+)/ban/$ site.urls:Users",
        ],
    );
}

#[test]
fn documents_say_what_they_describe() {
    let outcome = check(
        &[
            (
                "api/openapi.yaml",
                "openapi: 3.1.0\nservers:\n  - url: https://example.com/v1\npaths:\n  /pets/{id}:\n    parameters: []\n    get:\n      operationId: onePet\n    delete: {}\n  /owners:\n    $ref: owners.yaml\n  /gone:\n    $ref: nothing.yaml\n",
            ),
            ("api/owners.yaml", "post:\n  operationId: newOwner\n"),
            (
                "old.json",
                "{\"swagger\": \"2.0\", \"basePath\": \"/v0\",\n\t\"paths\": {\"/x\": {\"put\": {\"operationId\": \"putX\"}}}}\n",
            ),
        ],
        &["GET /pets/{id} onePet", "DELETE /pets/{id} ", "POST /owners newOwner", "PUT /x putX"],
    );
    assert_eq!(outcome.routes[0].note.as_deref(), Some("servers https://example.com/v1"));
    assert_eq!(outcome.routes[0].line, 7);
    assert_eq!(outcome.routes[3].note.as_deref(), Some("basePath /v0"));
    assert_eq!(outcome.undecided.len(), 1);
    assert_eq!((outcome.undecided[0].what.as_str(), outcome.undecided[0].line), ("/gone", 12));
}

#[test]
fn what_cannot_be_read_is_listed_with_its_line() {
    let outcome = read(&[
        (
            "main.py",
            "import os\nfrom fastapi import FastAPI, APIRouter\nfrom plugins import load\napp = FastAPI(openapi_url=None)\n@app.get(os.environ['P'])\ndef computed(): ...\nfor name in load():\n    app.add_api_route(name, computed)\nfor plugin in load():\n    app.include_router(plugin.router)\norphan = APIRouter()\n@orphan.get('/orphan')\ndef lonely(): ...\n@app.get('/sure')\ndef sure(): ...\ndef setup(app):\n    app.add_api_route('/given', sure)\n",
        ),
        ("test_main.py", "from main import app\n@app.get('/only-in-tests')\ndef t(): ...\n"),
    ]);
    assert_eq!(told(&outcome), ["GET /sure main:sure"]);
    let lines: Vec<usize> = outcome.undecided.iter().map(|one| one.line).collect();
    let mut sorted = lines.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, [5, 8, 10, 12, 17], "{:?}", outcome.undecided);
    assert_eq!(outcome.verdict(), Verdict::Unknown);
    assert_eq!(outcome.tests, 1);
}

const OLD: &[(&str, &str)] = &[(
    "app.py",
    "from flask import Flask\napp = Flask(__name__, static_folder=None)\n@app.get('/items/<int:item_id>')\ndef item(item_id): ...\n@app.post('/items')\ndef add(): ...\n",
)];

#[test]
fn a_lost_route_is_a_no_and_a_kept_one_is_found_in_another_framework() {
    let new = "from fastapi import FastAPI\napp = FastAPI(openapi_url=None)\n@app.get('/items/{id}')\ndef item(id): ...\n@app.post('/items/')\ndef add(): ...\n";
    let outcome = compared(OLD, &[("web.py", new)], &[("app", "web")]);
    assert_eq!(outcome.verdict(), Verdict::No);
    let told = outcome.told();
    assert_eq!(
        told,
        [
            "lost: app.py:5: POST /items → app:add; there is `POST /items/` at web.py:5",
            "changed (parameters): web.py:3: GET /items/{id} → web:item; was app.py:3: GET /items/<int:item_id> → app:item",
            "added: web.py:5: POST /items/ → web:add",
        ]
    );
    let json = outcome.to_json();
    assert_eq!(json["schema"], "switchback/routes/1");
    assert_eq!(
        (json["old"].as_u64(), json["new"].as_u64(), json["kept"].as_u64()),
        (Some(2), Some(2), Some(1))
    );
    assert_eq!(json["lost"][0]["path"], "/items");
}

#[test]
fn a_route_whose_new_path_cannot_be_read_is_perhaps_lost() {
    let new = OLD[0].1.replace("'/items')", "compute())");
    let outcome = compared(OLD, &[("app.py", &new)], &[]);
    assert_eq!(outcome.verdict(), Verdict::Unknown);
    assert_eq!(
        outcome.told()[0],
        "perhaps lost: app.py:5: POST /items → app:add; its handler answers at a path that could not be read, at app.py:5"
    );
    assert_eq!(outcome.to_json()["lost"][0]["sure"], false);
}

#[test]
fn handlers_are_compared_through_the_move() {
    let new = OLD[0].1;
    let same = compared(OLD, &[("pkg/web.py", new)], &[("app", "pkg.web")]);
    assert_eq!((same.verdict(), same.kept, same.changed.len()), (Verdict::Yes, 2, 0));
    let other = compared(OLD, &[("pkg/web.py", new)], &[]);
    assert_eq!((other.verdict(), other.kept, other.changed.len()), (Verdict::Yes, 2, 2));
}

#[test]
fn nothing_found_and_nothing_sure_are_no_yes() {
    let nothing = compared(&[("a.py", "x = 1\n")], OLD, &[]);
    assert_eq!(nothing.verdict(), Verdict::Unknown);
    assert!(nothing.summary().starts_with("nothing found"));
    let unsure = [(
        "app.py",
        "from flask import Flask\nfrom x import paths\napp = Flask(__name__)\nfor p in paths:\n    app.add_url_rule(p, view_func=f)\n",
    )];
    let outcome = compared(&unsure, &unsure, &[]);
    assert_eq!((outcome.verdict(), outcome.undecided()[0].1), (Verdict::Unknown, "both"));
}

#[test]
fn each_of_two_applications_keeps_its_own() {
    let one = "from fastapi import FastAPI\napp = FastAPI(openapi_url=None)\n@app.get('/health')\ndef health(): ...\n";
    let outcome =
        compared(&[("a/main.py", one), ("b/main.py", one)], &[("a/main.py", one), ("b/main.py", "")], &[]);
    assert_eq!(outcome.verdict(), Verdict::No);
    assert_eq!(outcome.lost[0].route.file, "b/main.py");
}
