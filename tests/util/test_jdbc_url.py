"""JDBC URLs as SQLAlchemy's."""

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.errors import NamingError
from catalina.util.jdbc_url import translate_url


def rendered(url, *credentials):
    return translate_url(url, *credentials).render_as_string(hide_password=False)


@pytest.mark.parametrize(
    ("jdbc", "expected"),
    [
        ("jdbc:postgresql://db:5433/shop", "postgresql+psycopg://db:5433/shop"),
        ("jdbc:postgresql://db/shop", "postgresql+psycopg://db/shop"),
        ("jdbc:postgresql:shop", "postgresql+psycopg://localhost/shop"),
        ("jdbc:postgresql://[::1]:5432/shop", "postgresql+psycopg://[::1]:5432/shop"),
        ("jdbc:postgresql://db/shop?user=bob&password=p%40ss", "postgresql+psycopg://bob:p%40ss@db/shop"),
        ("jdbc:postgresql://db/shop?ssl=true", "postgresql+psycopg://db/shop?sslmode=verify-full"),
        ("jdbc:postgresql://db/shop?sslmode=require", "postgresql+psycopg://db/shop?sslmode=require"),
        ("jdbc:postgresql://db/shop?ssl=false", "postgresql+psycopg://db/shop"),
        ("jdbc:postgresql://db/shop?ApplicationName=cat", "postgresql+psycopg://db/shop?application_name=cat"),
        ("jdbc:postgresql://db/s?currentSchema=x", "postgresql+psycopg://db/s?options=-csearch_path%3Dx"),
        (
            "jdbc:postgresql://db/s?targetServerType=primary",
            "postgresql+psycopg://db/s?target_session_attrs=read-write",
        ),
        ("jdbc:postgresql://a:1,b/s", "postgresql+psycopg:///s?host=a%3A1&host=b%3A5432"),
        ("jdbc:mysql://db:3307/shop?characterEncoding=UTF-8", "mysql+pymysql://db:3307/shop?charset=utf8mb4"),
        ("jdbc:mariadb://db/shop", "mysql+pymysql://db/shop"),
        ("jdbc:oracle:thin:@//db:1522/svc", "oracle+oracledb://db:1522?service_name=svc"),
        ("jdbc:oracle:thin:@db:1522/svc", "oracle+oracledb://db:1522?service_name=svc"),
        ("jdbc:oracle:thin:bob/x@db:1522:SID", "oracle+oracledb://bob:x@db:1522/SID"),
        ("jdbc:oracle:thin:@db", "oracle+oracledb://db:1521"),
        ("jdbc:sqlserver://db:1433;databaseName=shop;user=bob;password=x", "mssql+pymssql://bob:x@db:1433/shop"),
        ("jdbc:sqlite:/var/x.db", "sqlite+pysqlite:////var/x.db"),
        ("jdbc:sqlite::memory:", "sqlite+pysqlite:///%3Amemory%3A"),
        ("sqlite:///x.db", "sqlite:///x.db"),
    ],
)
def test_each_database_has_its_form(jdbc, expected):
    assert rendered(jdbc) == expected


def test_user_and_password_of_the_resource_win():
    assert rendered("jdbc:postgresql://db/shop?user=a&password=b", "bob", "p@ss") == (
        "postgresql+psycopg://bob:p%40ss@db/shop"
    )


def test_parameters_without_effect_are_said(caplog):
    with caplog.at_level(logging.INFO):
        rendered("jdbc:postgresql://db/shop?prepareThreshold=5&reWriteBatchedInserts=true")
    assert "prepareThreshold, reWriteBatchedInserts" in caplog.text


@pytest.mark.parametrize(
    ("jdbc", "text"),
    [
        ("jdbc:h2:mem:x", "h2"), ("jdbc:derby:x", "derby"), ("jdbc:oracle:thin:nothing", "expected jdbc:oracle"),
        ("nonsense", "neither"), ("jdbc:postgresql://db:port/x", "no number"), ("jdbc:oracle:thin:@/", "host:port"),
    ],
)  # fmt: skip
def test_what_cannot_be_translated_is_an_error(jdbc, text):
    with pytest.raises(NamingError, match=text):
        translate_url(jdbc)


@given(st.sampled_from(["postgresql", "mysql", "oracle:thin", "sqlserver", "sqlite"]), st.text(max_size=30))
def test_any_url_is_translated_or_the_documented_error(database, rest):
    try:
        translate_url(f"jdbc:{database}:{rest}")
    except NamingError:
        return
