"""The web application: the only place that knows HTTP or the database."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix


def create_app(config: Mapping[str, object] | None = None) -> Flask:
    """The WSGI application. Settings come from `config` first, then from the environment."""
    # imported here: a tool that needs one module of this package need not load them all
    from webapp import crypto, error_pages, presentation, security
    from webapp.admin import bp as admin
    from webapp.api import bp as api
    from webapp.auth import bp as auth
    from webapp.citizen import bp as citizen
    from webapp.config import settings
    from webapp.extensions import csrf, db, login_manager
    from webapp.incoming import Incoming
    from webapp.plans import bp as plans
    from webapp.staff import bp as staff

    app = Flask(__name__)
    app.request_class = Incoming
    app.config.update(settings(config))
    if count := app.config["TRUSTED_PROXIES"]:  # guesses are counted by the visitor's own address
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count)  # type: ignore[method-assign]
    crypto.configure(app.config["ECOUNTER_DATA_KEY"])
    db.init_app(app)
    csrf.init_app(app)
    login_manager.init_app(app)
    login_manager.login_view = "auth.sign_in"
    login_manager.user_loader(security.load_user)
    security.init_app(app)

    presentation.init_app(app)
    error_pages.init_app(app)
    app.register_blueprint(citizen)
    app.register_blueprint(auth)
    app.register_blueprint(staff, url_prefix="/staff")
    app.register_blueprint(admin, url_prefix="/admin")
    app.register_blueprint(plans, url_prefix="/plans")
    app.register_blueprint(api, url_prefix="/api")
    return app
