"""Mapping templates: what they give, what is refused."""

from __future__ import annotations

import pytest

from local_sagemaker.services.apigateway.templates import Scene, TemplateError, parse

SCENE = Scene(
    body='{"a": {"b": [1, "x/\'y\\""]}, "n": null, "t": "ü"}',
    parameters={"path": {"id": "7"}, "querystring": {"q": "one", "id": "query"}, "header": {"Accept": "text/csv"}},
    context={"stage": "test", "identity": {"sourceIp": "127.0.0.1"}},
    stage_variables={"v": "red"},
)


@pytest.mark.parametrize(
    ("template", "rendered"),
    [
        ("plain text, 5 $ and #1", "plain text, 5 $ and #1"),
        ("$input.body", SCENE.body),
        ("$input.json('$.a')", '{"b":[1,"x/\'y\\""]}'),
        ("$input.json('$.t')", '"ü"'),
        ("$input.path('$.t')", "ü"),
        ("[$input.path('$.nowhere')]", "[]"),
        ("$input.path('$').a.b[0]", "1"),
        ("$input.path('$.a').b.get(0) $input.path('$.a').b.size()", "1 2"),
        ("$input.params('id') $input.params('q') $input.params('none').", "7 one ."),
        ("$input.params().querystring.get('id') $input.params().header.Accept", "query text/csv"),
        ("$context.stage ${context.identity.sourceIp} ${stageVariables.v}x", "test 127.0.0.1 redx"),
        ("#set($x = $input.params('q'))#set($y = \"<$x>\")$y $y", "<one> <one>"),
        ("#set($x = 5)\n#set( $f = true )\n$x $f", "5 true"),
        ("a## a comment\nb", "ab"),
        ("$unknown $!unknown.", "$unknown ."),
        ("\\$input.body", "$input.body"),
        ("$util.escapeJavaScript($input.path('$.a.b')[1])", "x\\/\\'y\\\""),
        ("$util.base64Encode('ab') $util.base64Decode('YWI=') $util.urlEncode('a b&')", "YWI= ab a+b%26"),
        ("$util.parseJson('{\"k\": [3]}').k[0]", "3"),
    ],
)
def test_what_templates_give(template: str, rendered: str) -> None:
    assert parse(template).render(SCENE) == rendered


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("#if($x)a#end", "#if is not supported"),
        ("#foreach($x in $y)$x#end", "#foreach is not supported"),
        ("$input.foo", "$input.foo is not supported"),
        ("$util.time()", "$util.time is not supported"),
        ("$context.stage.substring(1)", "the method substring()"),
        ("#set($x = $a + 1)", "')' is missing"),
        ("#set($x = [1])", "is not supported"),
        ("${input.body", "no closing brace"),
    ],
)
def test_what_is_refused(template: str, reason: str) -> None:
    with pytest.raises(TemplateError) as raised:
        parse(template)
    assert reason in str(raised.value)
