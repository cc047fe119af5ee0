"""Mapping templates: what they give, what is refused."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from local_sagemaker.services.apigateway.templates import Scene, VelocityError, parse

SCENE = Scene(
    body='{"a": {"b": [1, "x/\'y\\""]}, "n": null, "t": "ü", "items": [{"id": 1, "k": "x"}, {"id": 2}, {"id": 3}]}',
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
        ("[$input.json('$.nowhere')]", '[""]'),
        ("$input.path('$').a.b[0]", "1"),
        ("$input.path('$.a').b.get(0) $input.path('$.a').b.size()", "1 2"),
        ("$input.params('id') $input.params('q') $input.params('none').", "7 one ."),
        ("$input.params().querystring.get('id') $input.params().header.Accept", "query text/csv"),
        ("$context.stage ${context.identity.sourceIp} ${stageVariables.v}x [$context.none]", "test 127.0.0.1 redx []"),
        ("#set($x = $input.params('q'))#set($y = \"<$x>\")$y $y", "<one> <one>"),
        ("#set($x = 5)\n#set( $f = true )\n$x $f", "5 true"),
        ("a## a comment\nb", "ab"),
        ("a#* a\n$comment *#b#[[ $input.body ]]#", "ab $input.body "),
        ("$unknown $!unknown ${unknown} $!{unknown}.", "$unknown  ${unknown} ."),
        ("\\$input.body \\#if \\\\$context.stage", "$input.body #if \\test"),
        ("$util.escapeJavaScript($input.path('$.a.b')[1])", "x\\/\\'y\\\""),
        ("$util.base64Encode('ab') $util.base64Decode('YWI=') $util.urlEncode('a b&')", "YWI= ab a+b%26"),
        ("$util.parseJson('{\"k\": [3]}').k[0] $util.urlDecode('a+b%26')", "3 a b&"),
        ("$esc.newline$esc.d$esc.q", '\n$"'),
        ("$input.path('$.a')", '{b=[1,"x/\'y\\""]}'),  # a map as Java writes it, an array as JSON
        ("$input.path('$.items')", '[{"id":1,"k":"x"},{"id":2},{"id":3}]'),
    ],
)
def test_what_templates_give(template: str, rendered: str) -> None:
    assert parse(template).render(SCENE) == rendered


@pytest.mark.parametrize(
    ("template", "rendered"),
    [
        ("#if(true)a#{else}b#end", "a"),
        ("#if($nothing)a#elseif($context.stage == 'test')b#{else}c#end", "b"),
        ("#if(!$nothing && not false || false)a#end", "a"),
        ("#if($input.params('none') == '')empty#end#if($input.path('$.n'))no#end", "empty"),
        ("#if(\"$!nothing\" != \"\")a#{else}b#end", "b"),
        ("#if(1 < 2 && 2 <= 2 && 3 gt 2 && 2 ge 2 && 1 ne 2 && 1.0 == 1)all#end", "all"),
        ("#if('a' < 'b' && 'a' != 1)text#end", "text"),
        ("#foreach($x in [1, 2, 3])$x#if($foreach.hasNext), #end#end", "1, 2, 3"),
        ("#foreach($x in [3..1])$foreach.index:$foreach.count:$x:$foreach.first:$foreach.last;#end",
         "0:1:3:true:false;1:2:2:false:false;2:3:1:false:true;"),
        ("#foreach($x in ['a', 'b'])$velocityCount#if($velocityHasNext)-#end#end", "1-2"),
        ("#foreach($x in {'k': 'v', 'l': 'w'})$x#end", "vw"),
        ("#foreach($e in $stageVariables.entrySet())$e.key=$e.value $e.getKey()#end", "v=red v"),
        ("#foreach($k in $input.params().keySet())$k #end", "path querystring header "),
        ("#foreach($x in [1..3])#foreach($y in [1..2])$foreach.parent.index$foreach.index #end#end[$x]",
         "00 01 10 11 20 21 [$x]"),
        ("#foreach($x in [1..9])#if($x == 3)#break#end$x#end.", "12."),
        ("a#stop b", "a"),
        ("#foreach($x in $nothing)a#end#foreach($x in 'text')b#end", ""),
        ("#set($x = 7 % 3)$x;#set($x = 7 / 2)$x;#set($x = 7.0 / 2)$x;#set($x = -5 + 2 * 3)$x", "1;3;3.5;1"),
        ("#set($x = -7 / 2)$x;#set($x = -7 % 3)$x;#set($y = -$x)$y", "-3;-1;1"),
        ("#set($x = (1 + 2) * 3)$x;#set($x = 1 / 0)[$x];#set($x = 'a' + 1)$x", "9;[];a1"),
        ("#set($x = 9223372036854775807)#set($x = $x + 1)$x", "-9223372036854775808"),
        ("#set($l = [0.1, 12345678.0, 0.0001, 100.0, 0.001])$l", "[0.1, 1.2345678E7, 1.0E-4, 100.0, 0.001]"),
        ("#set($m = {'a': 1, 'b': [1, 2]})$m $m.a $m['b'][1] $m.get('c').", "{a=1, b=[1, 2]} 1 2 ."),
        ("#set($m = {})#set($m.a.b = 1)$m.a.b#set($l = [1, 2])#set($l[0] = 9)$l", "1[9, 2]"),
        ("#set($i = 1)#set($l = [1, 2])$l[$i] $l[-1] [$l] [not an index]", "2 2 [[1, 2]] [not an index]"),
        ("#set($d = 'x')#define($b)<$d>#end$b#set($d = 'y')$b", "<x><y>"),
        ("#macro(greet $who $how)$how $who!#end#greet('you' \"$context.stage\") #greet('me', 'hey') #unknown('x')",
         "test you! hey me! #unknown('x')"),
        ("#macro(down $n)$n#set($m = $n - 1)#if($m > 0)#down($m)#end#end#down(3)", "321"),
        ("#set($t = '$context.stage')$t#evaluate($t)", "$context.stagetest"),
        ("${nothing|'other'} ${context.stage|'other'} ${context.none|$context.stage} $!{nothing|\"$context.stage\"}",
         "other test test test"),
        ("#set($s = \"say \"\"hi\"\"\")$s;   #set($s = 'it''s')$s", "say \"hi\";it's"),
    ],
)  # fmt: skip
def test_directives_and_expressions(template: str, rendered: str) -> None:
    assert parse(template).render(SCENE) == rendered


VALUES = """#set($s = 'a1,b22,,c,,')#set($w = ' Pad ')#set($h = 'hello')#set($e = '')#set($n = 0)#set($d = 2.5)
#set($l = [1, 2])#set($m = {'a': 1, 'b': 'x'})#set($j = $input.path('$.items'))"""


@pytest.mark.parametrize(
    ("expression", "shown"),
    [
        ("$s.split(',')", "[a1, b22, , c]"),
        ("$s.split('[0-9,]+')", "[a, b, c]"),
        ("$s.split(',', 2)", "[a1, b22,,c,,]"),
        ("$h.split('')", "[h, e, l, l, o]"),
        ("$h.split('\\.').size()", "1"),
        ("$h.replace('l', '.')", "he..o"),
        ("$h.replaceAll('(h)(e)', '$2$1')", "ehllo"),
        ("$h.replaceAll('l', '\\$')", "he$$o"),
        ("$h.replaceFirst('l', 'L')", "heLlo"),
        ("$w.trim().toUpperCase() $w.strip().toLowerCase()", "PAD pad"),
        ("$h.substring(1, 3) $h.substring(3)", "el lo"),
        ("[$!h.substring(9)]", "[]"),
        ("$h.indexOf('l') $h.lastIndexOf('l') $h.indexOf('x')", "2 3 -1"),
        (
            "$h.contains('ell') $h.startsWith('he') $h.endsWith('x') $h.equalsIgnoreCase('HELLO')",
            "true true false true",
        ),
        ("$h.matches('[a-z]+') $h.matches('ell')", "true false"),
        ("$h.length() $h.charAt(0) $h.concat('!') $h.compareTo('a') $h.equals('hello')", "5 h hello! 1 true"),
        ("$e.isEmpty() $e.empty $w.isBlank() $h.repeat(2)", "true true false hellohello"),
        ("$l.size() $l.get(1) $l.contains(2) $l.indexOf(2) $l.isEmpty() $l.subList(0, 1)", "2 2 true 1 false [1]"),
        ("#set($ok = $l.add(3))$l $l.add(4) $l.remove(0) $l.set(0, 'z') $l", "[1, 2, 3] true 1 2 [z, 3, 4]"),
        ("$l.addAll([5]) $l $!l.clear()$l", "true [1, 2, 5] []"),
        ("$m.keySet() $m.values() $m.entrySet() $m.size()", "[a, b] [1, x] [a=1, b=x] 2"),
        ("$m.containsKey('a') $m.containsValue('x') $m.getOrDefault('c', 'd')", "true true d"),
        ("$!m.put('c', 3)$m.put('a', 2) $m.remove('b') $m", "1 x {a=2, c=3}"),
        ("$j.size() $j[0].k $j.get(1).id $j[0].containsKey('k')", "3 x 2 true"),
        ("$n.parseInt('12') $n.toString() $d.intValue() $d", "12 0 2 2.5"),
        ("[$!n.parseInt('x')] [$!h.size()] [$!nothing.size()]", "[] [] []"),
    ],
)
def test_methods(expression: str, shown: str) -> None:
    assert parse(VALUES + expression).render(SCENE) == shown


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("$.items[0].id", "1"),
        ("$.items[-1].id", "3"),
        ("$.items[*].id", "[1,2,3]"),
        ("$.items[0:2].id", "[1,2]"),
        ("$.items[0,2].id", "[1,3]"),
        ("$['a']['b'][0]", "1"),
        ("$..id", "[1,2,3]"),
        ("$.items[?(@.id > 1)].id", "[2,3]"),
        ("$.items[?(@.k)].id", "[1]"),
        ("$.items[?(@.k == 'x')].id", "[1]"),
        ("$.items[?(@.id != 2)].id", "[1,3]"),
        ("a.b[0]", "1"),
        ("$.items[9]", '""'),
        ("$.items[?(@.id > 9)]", "[]"),
    ],
)
def test_json_paths(path: str, found: str) -> None:
    assert parse(f'$input.json("{path}")').render(SCENE) == found


CONSOLE = """##  See https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html
##  This template will pass through all parameters including path, querystring, header, stage variables, and context
#set($allParams = $input.params())
{
"body-json" : $input.json('$'),
"params" : {
#foreach($type in $allParams.keySet())
    #set($params = $allParams.get($type))
"$type" : {
    #foreach($paramName in $params.keySet())
    "$paramName" : "$util.escapeJavaScript($params.get($paramName))"
        #if($foreach.hasNext),#end
    #end
}
    #if($foreach.hasNext),#end
#end
},
"stage-variables" : {
#foreach($key in $stageVariables.keySet())
"$key" : "$util.escapeJavaScript($stageVariables.get($key))"
    #if($foreach.hasNext),#end
#end
},
"context" : {
    "account-id" : "$context.identity.accountId",
    "authorizer-principal-id" : "$context.authorizer.principalId",
    "source-ip" : "$context.identity.sourceIp",
    "stage" : "$context.stage"
    }
}
"""


@pytest.mark.parametrize("body", ["", '{"x": 1}'])
def test_the_console_s_own_template(body: str) -> None:
    scene = Scene(body, SCENE.parameters, SCENE.context, SCENE.stage_variables)
    assert json.loads(parse(CONSOLE).render(scene)) == {
        "body-json": json.loads(body or "{}"),
        "params": {"path": {"id": "7"}, "querystring": {"q": "one", "id": "query"}, "header": {"Accept": "text/csv"}},
        "stage-variables": {"v": "red"},
        "context": {"account-id": "", "authorizer-principal-id": "", "source-ip": "127.0.0.1", "stage": "test"},
    }


REQUEST = """{
  "instances": [
#set( $user_id = $input.params("user_id") )
#set( $items = $input.params("items") )
#foreach( $item in $items.split(",") )
    {"in0": [$user_id], "in1": [$item]}#if( $foreach.hasNext ),#end
    $esc.newline
#end
  ]
}"""
RESPONSE = """{
  "ratings": [
    #set( $predictions = $input.path("$.predictions") )
    #foreach( $item in $predictions )
      $item.scores[0]#if( $foreach.hasNext ),#end
      $esc.newline
    #end
  ]
}"""


def test_the_templates_of_aws_s_post_on_sagemaker_behind_a_rest_api() -> None:
    scene = Scene("", {"path": {"user_id": "321"}, "querystring": {"items": "101,131,162"}})
    made = json.loads(parse(REQUEST).render(scene))
    assert made == {"instances": [{"in0": [321], "in1": [item]} for item in (101, 131, 162)]}
    answer = Scene('{"predictions": [{"scores": [0.08]}, {"scores": [2.5]}]}')
    assert json.loads(parse(RESPONSE).render(answer)) == {"ratings": [0.08, 2.5]}


def test_overrides() -> None:
    template = """#set($context.requestOverride.header.X-Own = "1")#set($context.requestOverride.path.id = "9")
#set($context.responseOverride.status = 418)#set($context.responseOverride.header["X-Made"] = $context.stage)ok"""
    text, overrides = parse(template).run(SCENE)
    assert text == "ok"
    assert overrides.request == {"header": {"X-Own": "1"}, "path": {"id": "9"}, "querystring": {}}
    assert overrides.response == {"status": 418, "header": {"X-Made": "test"}}
    assert parse("$!context.responseOverride.status").render(SCENE) == ""  # nothing remains of it


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("#if($x)a", "#if has no #end"),
        ("a#end", "#end without a directive"),
        ("#foreach($x in $y)$x#else#end", "#else within #foreach"),
        ("#foreach($x of $y)#end", "'in' is missing"),
        ("#if($x", "')' is missing"),
        ("#set($x 1)", "'=' is missing"),
        ("#set($x = )", "a value is missing"),
        ("#set(x = 1)", "a reference is missing"),
        ("#set($x = 'a)", "a string is not closed"),
        ("#* a", "#* has no *#"),
        ("#parse('x')", "#parse is not supported"),
        ("#include('x')", "#include is not supported"),
        ("$input.foo", "$input.foo is not supported"),
        ("$util.time()", "$util.time is not supported"),
        ("$context.stage.getClass()", "the method getClass()"),
        ("#set($x = $y.forName('os'))", "the method forName()"),
        ("${input.body", "no closing brace"),
        ("$input.json('$.a[?(')", "the JSONPath '$.a[?('"),
        ("#if(" + "(" * 5000 + "1" + ")" * 5000 + ")#end", "nested too deeply"),
        ("x" * (300 * 1024 + 1), "longer than"),
    ],
)
def test_what_is_refused(template: str, reason: str) -> None:
    with pytest.raises(VelocityError) as raised:
        parse(template)
    assert reason in str(raised.value)


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("#foreach($x in [1..1001])#end", "more than 1000 iterations"),
        ("#set($x = [1..100000000])", "a range is too long"),
        ("#foreach($a in [1..1000])#foreach($b in [1..1000])x#end#end", "more than 500000 steps"),
        ("#set($s = 'xxxxxxxxxx')#foreach($i in [1..100])#set($s = $s + $s)#end", "more than"),
        ("#set($s = 'xxxxxxxxxx')#foreach($i in [1..100])#set($s = $s.replace('x', 'xxxx'))#end", "more than"),
        ("#set($s = 'x')#foreach($i in [1..9])#set($s = $s.replaceAll('(.)', '$1" + "y" * 99 + "'))#end", "more than"),
        ("#set($s = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab')$s.matches('(a+)+')", "takes too long"),
        ("#set($s = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab')$s.replaceAll('(a+)+$', 'x')", "takes too long"),
        ("#set($s = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab')$s.split('(a+)+$')", "takes too long"),
        ("#set($s = 'x')$s.repeat(1000000000)", "more than"),
        ("#macro(m)#m()#end#m()", "calls itself"),
        ("#set($m = {})$!m.put('m', $m)$m", "nested too deeply"),
        ("#set($l = [1])#foreach($i in [1..1000])#set($ok = $l.addAll($l))#end", "too long a list"),
        ("$util.parseJson('{')", "$util: "),
        ("$util.base64Decode('a')", "$util: "),
        ("$util.parseJson('\"\\ud800\"')", "surrogate"),
        ("#set($s = 'x')$s.matches('(')", "the regular expression '('"),
        ('$input.path("$context.stage[")', "the JSONPath"),
    ],
)
def test_what_goes_beyond_a_limit_ends_the_rendering(template: str, reason: str) -> None:
    start = time.process_time()
    with pytest.raises(VelocityError) as raised:
        parse(template).render(SCENE)
    assert reason in str(raised.value)
    assert time.process_time() - start < 10


def test_templates_do_not_change_what_they_are_given() -> None:
    given: dict[str, Any] = {"a": {"b": "c"}}
    scene = Scene("{}", {"path": {}, "querystring": {}, "header": {}}, given, {"v": "red"})
    parse("#set($context.a.b = 1)$!stageVariables.put('v', 2)$!input.params().header.put('x', 1)").render(scene)
    assert given == {"a": {"b": "c"}} and scene.stage_variables == {"v": "red"} and scene.parameters["header"] == {}
