from django.contrib import admin
from django.contrib.auth.views import LoginView
from django.urls import path
from django.views.static import serve

from shop import settings, views

urlpatterns = [
    path("", views.index, name="index"),
    path("buy/<int:product>", views.buy, name="buy"),
    path("login", LoginView.as_view(template_name="login.html"), name="login"),
    path("pictures/<path:path>", serve, {"document_root": settings.MEDIA_ROOT}),
    path("admin/", admin.site.urls),
]
