// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Conversations rendered by templates of the kinds that checkpoints carry. The
// expected texts are those of Jinja 3.1 with the settings of `transformers`.

#include "runtime/text/ChatTemplate.h"
#include "TextTestData.h"
#include "runtime/support/Error.h"

#include <chrono>
#include <ctime>
#include <fstream>
#include <iterator>

using namespace lori;
using namespace lori::test;

namespace {

using Messages = std::vector<ChatMessage>;

const Messages talk = {{"system", "Be brief."},
                       {"user", "  Hi <b> \"q\"\n"},
                       {"assistant", "Hello é 🎉"},
                       {"user", "Bye"}};
const Messages plain = {
    {"user", "Hi"}, {"assistant", " Yes. "}, {"user", "Why?\n"}};
const Messages bad = {{"user", "Hi"}, {"user", "Again"}};
const Messages think = {{"user", "2+2?"},
                        {"assistant", "<think>\nadd\n</think>\n\n4"},
                        {"user", "sure?"},
                        {"assistant", "<think>\nagain\n</think>\n\nYes."}};
const Messages toolTalk = {
    {"user", "2+2?"}, {"tool", "4"}, {"tool", "four"}, {"assistant", "4"}};

std::string render(std::string_view source, const Messages &messages = talk,
                   bool prompt = false) {
  return renderChat(source, messages, prompt, "<s>", "</s>");
}

void expectChat(std::string_view source, const Messages &messages, bool prompt,
                std::string_view expected) {
  EXPECT_EQ(render(source, messages, prompt), expected);
}

/// Expects an error of one line that contains `part` and names the remedy.
void expectRefused(std::string_view source, std::string_view part,
                   const Messages &messages = talk) {
  SCOPED_TRACE(std::string(source.substr(0, 200)));
  try {
    std::string text = render(source, messages);
    ADD_FAILURE() << "rendered as " << text.substr(0, 200);
  } catch (const Error &error) {
    std::string message = error.what();
    EXPECT_NE(message.find(part), std::string::npos) << message;
    EXPECT_TRUE(message.starts_with("chat template: ")) << message;
    EXPECT_TRUE(message.ends_with("; give the whole text with -p")) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    EXPECT_LT(message.size(), 500u);
  }
}

constexpr const char *chatMl =
    R"~({% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>' + '\n' }}{% endfor %}
{% if add_generation_prompt %}
{{ '<|im_start|>assistant\n' }}
{% endif %})~";

constexpr const char *llama2 = R"~({% if messages[0]['role'] == 'system' %}
  {% set turns = messages[1:] %}
  {% set instruction = messages[0]['content'] %}
{% else %}
  {% set turns = messages %}
  {% set instruction = false %}
{% endif %}
{% for turn in turns %}
  {% if (turn['role'] == 'user') != (loop.index0 % 2 == 0) %}
    {{ raise_exception('Roles must take turns: user, assistant, user, assistant') }}
  {% endif %}
  {% if loop.index0 == 0 and instruction != false %}
    {% set text = '<<SYS>>\n' + instruction + '\n<</SYS>>\n\n' + turn['content'] %}
  {% else %}
    {% set text = turn['content'] %}
  {% endif %}
  {% if turn['role'] == 'user' %}
    {{- bos_token + '[INST] ' + text.strip() + ' [/INST]' -}}
  {% elif turn['role'] == 'assistant' %}
    {{- ' ' + text.strip() + ' ' + eos_token -}}
  {% endif %}
{% endfor %})~";

constexpr const char *llama3 = R"~({{- bos_token }}
{%- macro turn(role, text) %}
    {{- '<|start_header_id|>' ~ role ~ '<|end_header_id|>\n\n' ~ text | trim ~ '<|eot_id|>' }}
{%- endmacro %}
{%- if tools is not defined %}{%- set tools = none %}{%- endif %}
{%- set first = 1 if messages[0].role == 'system' else 0 %}
{%- if tools is none and first == 1 %}
    {{- turn('system', "Date unknown.\n\n" + messages[0]['content']) }}
{%- elif tools %}
    {{- raise_exception("Tools are not for this test") }}
{%- endif %}
{%- for m in messages[first:] %}
    {%- if 'tool_calls' not in m and not m.role in ['tool', 'ipython'] %}
        {{- turn(m['role'], m['content']) }}
    {%- elif m.tool_calls|length != 1 %}
        {{- raise_exception("One call at a time") }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\n\n' }}
{%- endif %}
)~";

constexpr const char *mistral = R"~({%- if messages[0]["role"] == "system" %}
    {%- set instruction = messages[0]["content"] %}
    {%- set turns = messages[1:] %}
{%- else %}
    {%- set turns = messages %}
{%- endif %}
{%- set users = turns | selectattr("role", "equalto", "user") | list %}
{%- set ns = namespace(index=0) %}
{%- for turn in turns if not (turn.tool_calls is defined and turn.tool_calls is not none) %}
    {%- if (turn["role"] == "user") != (ns.index % 2 == 0) %}
        {{- raise_exception("Roles must alternate after the optional system message") }}
    {%- endif %}
    {%- set ns.index = ns.index + 1 %}
{%- endfor %}
{{- bos_token }}
{%- for turn in turns %}
    {%- if turn["role"] == "user" %}
        {%- if loop.last and instruction is defined %}
            {{- "[INST] " + instruction + "\n\n" + turn["content"] + "[/INST]" }}
        {%- else %}
            {{- "[INST] " + turn["content"] + "[/INST]" }}
        {%- endif %}
    {%- elif turn["role"] == "assistant" %}
        {{- " " + turn["content"]|trim + eos_token }}
    {%- else %}
        {{- raise_exception("Only user and assistant are known, not " ~ turn.role) }}
    {%- endif %}
{%- endfor %}
{#- {{ users|length }} of them #})~";

constexpr const char *qwen25 =
    R"~({%- set begin, end = '<|im_start|>', '<|im_end|>\n' %}
{%- if tools %}
    {%- for tool in tools %}{{- tool | tojson }}{%- endfor %}
{%- elif messages[0].role != 'system' %}
    {{- begin + 'system\nYou are a careful helper.' + end }}
{%- endif %}
{%- for m in messages %}
    {%- set ahead = messages[loop.index0 + 1].role if not loop.last else none %}
    {%- set behind = messages[loop.index0 - 1].role if not loop.first else none %}
    {%- if m.role == "tool" %}
        {{- begin + 'user' if behind != 'tool' }}
        {{- '\n<tool_response>\n' + m.content + '\n</tool_response>' }}
        {{- end if ahead != 'tool' }}
    {%- elif (m.role == "user") or (m.role == "assistant" and not m.tool_calls) or loop.first %}
        {{- begin + m.role + '\n' + m.content + end }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- begin + 'assistant\n' }}{%- endif %}
)~";

constexpr const char *qwen3 =
    R"~({#- Thoughts are kept only behind the last question. -#}
{%- set state = namespace(question=messages|length, found=false) %}
{%- for m in messages|reverse %}
    {%- if not state.found %}
        {%- set state.question = state.question - 1 %}
        {%- set state.found = m.role == 'user' and not (m.content is string and m.content.startswith('<tool_response>')) %}
    {%- endif %}
{%- endfor %}
{%- for m in messages %}
    {%- set text = m.content if m.content is string else '' %}
    {%- set thought = m.reasoning_content if m.reasoning_content is string else '' %}
    {%- if m.role == 'assistant' and '</think>' in text %}
        {%- set parts = text.split('</think>') %}
        {%- set thought = parts[0].rstrip('\n').split('<think>')[-1].lstrip('\n') %}
        {%- set text = parts[-1].lstrip('\n') %}
    {%- endif %}
    {{- '<|im_start|>' + m.role + '\n' }}
    {%- if thought and loop.index0 > state.question %}
        {{- '<think>\n' ~ thought.strip('\n') ~ '\n</think>\n\n' }}
    {%- endif %}
    {{- text + '<|im_end|>\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}
        {{- '<think>\n\n</think>\n\n' }}
    {%- endif %}
{%- endif %}
)~";

constexpr const char *macros =
    R"~({%- macro turn(role, text='', upper=false) -%}
    <{{ role|upper if upper else role|title }}>
{{ text|trim }}
{%- endmacro -%}
{% for m in messages %}
{% if loop.previtem is defined and loop.previtem.role == m.role %}{% continue %}{% endif %}
{{ turn(m.role, text=m.content, upper=loop.first) }} ({{ loop.index }}/{{ loop.length }}, before {{ (loop.nextitem or {}).role|default('the end') }})
{% if loop.index == 3 %}{% break %}{% endif %}
{% endfor %}
{% set all %}{{ messages|map(attribute='role')|join(', ') }}{% endset %}
{{ all }}: {{ messages[0]|tojson }} {{ dict(a=[1, 2.5, none])|tojson(indent=2) }})~";

TEST(ChatTemplateTest, RendersChatMl) {
  expectChat(chatMl, talk, true,
             "<|im_start|>system\n"
             "Be brief.<|im_end|>\n"
             "<|im_start|>user\n"
             "  Hi <b> \"q\"\n"
             "<|im_end|>\n"
             "<|im_start|>assistant\n"
             "Hello é 🎉<|im_end|>\n"
             "<|im_start|>user\n"
             "Bye<|im_end|>\n"
             "<|im_start|>assistant\n"
             "\n");
  expectChat(chatMl, plain, false,
             "<|im_start|>user\n"
             "Hi<|im_end|>\n"
             "<|im_start|>assistant\n"
             " Yes. <|im_end|>\n"
             "<|im_start|>user\n"
             "Why?\n"
             "<|im_end|>\n");
}

TEST(ChatTemplateTest, RendersLlama2) {
  expectChat(llama2, talk, true,
             "<s>[INST] <<SYS>>\n"
             "Be brief.\n"
             "<</SYS>>\n"
             "\n"
             "  Hi <b> \"q\" [/INST] Hello é 🎉 </s><s>[INST] Bye [/INST]");
  expectChat(llama2, plain, false,
             "<s>[INST] Hi [/INST] Yes. </s><s>[INST] Why? [/INST]");
  expectRefused(
      llama2,
      "line 10: the template refuses the messages: Roles must take turns", bad);
}

TEST(ChatTemplateTest, RendersLlama3) {
  expectChat(
      llama3, talk, true,
      "<s><|start_header_id|>system<|end_header_id|>\n"
      "\n"
      "Date unknown.\n"
      "\n"
      "Be brief.<|eot_id|><|start_header_id|>user<|end_header_id|>\n"
      "\n"
      "Hi <b> \"q\"<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n"
      "\n"
      "Hello é 🎉<|eot_id|><|start_header_id|>user<|end_header_id|>\n"
      "\n"
      "Bye<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n"
      "\n");
  expectChat(llama3, plain, false,
             "<s><|start_header_id|>user<|end_header_id|>\n"
             "\n"
             "Hi<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n"
             "\n"
             "Yes.<|eot_id|><|start_header_id|>user<|end_header_id|>\n"
             "\n"
             "Why?<|eot_id|>");
}

TEST(ChatTemplateTest, RendersMistral) {
  expectChat(mistral, talk, true,
             "<s>[INST]   Hi <b> \"q\"\n"
             "[/INST] Hello é 🎉</s>[INST] Be brief.\n"
             "\n"
             "Bye[/INST]");
  expectChat(mistral, plain, false,
             "<s>[INST] Hi[/INST] Yes.</s>[INST] Why?\n"
             "[/INST]");
  expectRefused(mistral,
                "Roles must alternate after the optional system message", bad);
}

TEST(ChatTemplateTest, RendersQwen25) {
  expectChat(qwen25, talk, true,
             "<|im_start|>system\n"
             "Be brief.<|im_end|>\n"
             "<|im_start|>user\n"
             "  Hi <b> \"q\"\n"
             "<|im_end|>\n"
             "<|im_start|>assistant\n"
             "Hello é 🎉<|im_end|>\n"
             "<|im_start|>user\n"
             "Bye<|im_end|>\n"
             "<|im_start|>assistant\n");
  expectChat(qwen25, plain, false,
             "<|im_start|>system\n"
             "You are a careful helper.<|im_end|>\n"
             "<|im_start|>user\n"
             "Hi<|im_end|>\n"
             "<|im_start|>assistant\n"
             " Yes. <|im_end|>\n"
             "<|im_start|>user\n"
             "Why?\n"
             "<|im_end|>\n");
  expectChat(qwen25, toolTalk, false,
             "<|im_start|>system\n"
             "You are a careful helper.<|im_end|>\n"
             "<|im_start|>user\n"
             "2+2?<|im_end|>\n"
             "<|im_start|>user\n"
             "<tool_response>\n"
             "4\n"
             "</tool_response>\n"
             "<tool_response>\n"
             "four\n"
             "</tool_response><|im_end|>\n"
             "<|im_start|>assistant\n"
             "4<|im_end|>\n");
}

TEST(ChatTemplateTest, RendersQwen3) {
  expectChat(qwen3, talk, true,
             "<|im_start|>system\n"
             "Be brief.<|im_end|>\n"
             "<|im_start|>user\n"
             "  Hi <b> \"q\"\n"
             "<|im_end|>\n"
             "<|im_start|>assistant\n"
             "Hello é 🎉<|im_end|>\n"
             "<|im_start|>user\n"
             "Bye<|im_end|>\n"
             "<|im_start|>assistant\n");
  expectChat(qwen3, think, false,
             "<|im_start|>user\n"
             "2+2?<|im_end|>\n"
             "<|im_start|>assistant\n"
             "4<|im_end|>\n"
             "<|im_start|>user\n"
             "sure?<|im_end|>\n"
             "<|im_start|>assistant\n"
             "<think>\n"
             "again\n"
             "</think>\n"
             "\n"
             "Yes.<|im_end|>\n");
  expectChat(qwen3, plain, true,
             "<|im_start|>user\n"
             "Hi<|im_end|>\n"
             "<|im_start|>assistant\n"
             " Yes. <|im_end|>\n"
             "<|im_start|>user\n"
             "Why?\n"
             "<|im_end|>\n"
             "<|im_start|>assistant\n");
}

TEST(ChatTemplateTest, RendersMacrosAndLoops) {
  expectChat(macros, talk, false,
             "<SYSTEM>\n"
             "Be brief. (1/4, before user)\n"
             "<User>\n"
             "Hi <b> \"q\" (2/4, before assistant)\n"
             "<Assistant>\n"
             "Hello é 🎉 (3/4, before user)\n"
             "system, user, assistant, user: {\"role\": \"system\", "
             "\"content\": \"Be brief.\"} {\n"
             "  \"a\": [\n"
             "    1,\n"
             "    2.5,\n"
             "    null\n"
             "  ]\n"
             "}");
  expectChat(macros, bad, false,
             "<USER>\n"
             "Hi (1/2, before user)\n"
             "user, user: {\"role\": \"user\", \"content\": \"Hi\"} {\n"
             "  \"a\": [\n"
             "    1,\n"
             "    2.5,\n"
             "    null\n"
             "  ]\n"
             "}");
}

// Precedence, types and texts as Python has them.
TEST(ChatTemplateTest, ComputesAsPythonDoes) {
  expectChat(
      R"~({{ 7 // 2 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 7 / 2 }} {{ 2 ** 10 }} {{ 1.5 + 1 }} {{ 'a' ~ 1 ~ none ~ true }} {{ -2 ** 2 }})~",
      talk, false, "3 -4 2 3.5 1024 2.5 a1NoneTrue 4");
  expectChat(
      R"~({{ 1 < 2 < 3 }} {{ 'x' in 'xyz' }} {{ 4 not in [4] }} {{ not 0 and 'y' or 'n' }} {{ 'a' if false }}|{{ [1, 'a"b', (2,), {'k': none}] }})~",
      talk, false, "True True False y |[1, 'a\"b', (2,), {'k': None}]");
  expectChat(
      R"~({{ 'héllo'[::-1] }} {{ 'héllo'[1:3] }} {{ 'héllo'[-1] }} {{ [1, 2, 3, 4][3:0:-2] }} {{ messages[1:]|length }} {{ messages[9] }}|{{ messages.0.role }})~",
      talk, false, "olléh él o [4, 2] 3 |system");
  expectChat(
      R"~({{ 'they ßee ΑΣ'|upper }} {{ 'ΑΣ ÉA'|lower }} {{ 'hello wORLD-foo (bar'|title }} {{ "they're".title() }} {{ 'ßa'|capitalize }})~",
      talk, false, "THEY SSEE ΑΣ ας éa Hello World-Foo (Bar They'Re Ssa");
  expectChat(
      R"~({{ 'a,b,c'.split(',', 1) }} {{ ' a  b '.split() }} {{ 'a,b,c'.rsplit(',', 1) }} {{ 'xxaxx'.strip('x') }} {{ 'abc'.startswith(('z', 'a')) }} {{ 'éc'.find('c') }} {{ 'aaa'.replace('aa', 'b') }} {{ 'abc'|replace('', '-') }} {{ 'a-b'.partition('-') }})~",
      talk, false,
      "['a', 'b,c'] ['a', 'b'] ['a,b', 'c'] a True 1 ba -a-b-c- ('a', '-', "
      "'b')");
  expectChat(
      R"~({{ {'a': 1, 'b': [1.5, none, true], 'c': 'é"\n'}|tojson }} {{ [1, {}]|tojson(indent=1) }} {{ 'é🎉'|tojson(ensure_ascii=true) }} {{ {'b': 1, 'a': 2}|tojson(sort_keys=true, separators=(',', ':')) }})~",
      talk, false,
      "{\"a\": 1, \"b\": [1.5, null, true], \"c\": \"é\\\"\\n\"} [\n"
      " 1,\n"
      " {}\n"
      "] \"\\u00e9\\ud83c\\udf89\" {\"a\":2,\"b\":1}");
  expectChat(
      R"~({{ foo|default('d') }} {{ ''|d('e', true) }} {{ '12'|int + 1 }} {{ 'x'|int(7) }} {{ '1.9'|float }} {{ [3, 1, 2]|sort|join('<') }} {{ 'ab'|list }} {{ [1, 2]|first }}{{ [1, 2]|last }} {{ 'a\nb'|indent(2) }})~",
      talk, false,
      "d e 13 7 1.9 1<2<3 ['a', 'b'] 12 a\n"
      "  b");
  expectChat(
      R"~({{ messages|map(attribute='role')|join('+') }} {{ messages|selectattr('role', 'equalto', 'user')|list|length }} {{ messages|rejectattr('role', 'in', ['user'])|map(attribute='content')|map('upper')|first }})~",
      talk, false, "system+user+assistant+user 2 BE BRIEF.");
  expectChat(
      R"~({{ foo is defined }} {{ foo is undefined }} {{ none is none }} {{ 'x' is string }} {{ {} is mapping }} {{ 'a' is iterable }} {{ {} is sequence }} {{ true is number }} {{ 1 is boolean }} {{ 1 is true }} {{ true is integer }} {{ 9 is divisibleby 3 }} {{ not foo is defined }})~",
      talk, false,
      "False True True True True True True True False False False True True");
  expectChat(
      R"~({% for k, v in {'a': 1, 'b': 2}.items() %}{{ k }}={{ v }};{% endfor %}{% for m in messages if m.role == 'zz' %}{% else %}none{% endfor %} {{ {'a': 1}.get('z', 3) }} {{ range(5, 0, -2)|list }})~",
      talk, false, "a=1;b=2;none 3 [5, 3, 1]");
  expectChat(
      R"~({% set x = 1 %}{% for m in messages %}{% set x = x + 1 %}{{ x }}{% endfor %}{{ x }}{% if true %}{% set x = 5 %}{% endif %}{{ x }})~",
      talk, false, "222215");
  expectChat(
      R"~({% set ns = namespace(n=0) %}{% for m in messages if ns.n < 2 %}{% set ns.n = ns.n + 1 %}{{ m.role }} {% endfor %}{{ ns.n }})~",
      talk, false, "system user 2");
  expectChat(R"~(  {% if true %}
  yes
  {% endif %}
  end {#- c -#}
  x
  {%+ if true %}+{% endif +%}
{% raw %}{{ raw }}{% endraw %}
)~",
             talk, false,
             "  yes\n"
             "  endx\n"
             "  +\n"
             "{{ raw }}");
}

TEST(ChatTemplateTest, WritesTheDate) {
  std::time_t before = std::time(nullptr);
  std::string text =
      render("{{ strftime_now('%Y-%m-%d') if strftime_now is defined }}");
  std::time_t after = std::time(nullptr);
  std::vector<std::string> days;
  for (std::time_t time : {before, after}) {
    char buffer[32];
    std::tm parts = {};
    localtime_r(&time, &parts);
    days.emplace_back(buffer,
                      std::strftime(buffer, sizeof buffer, "%Y-%m-%d", &parts));
  }
  EXPECT_TRUE(text == days[0] || text == days[1]) << text;
}

TEST(ChatTemplateTest, TellsWhatIsMalformed) {
  expectRefused("{% if true %}x", "line 1: 'endif' is missing");
  expectRefused("\n{% endif %}", "line 2: 'endif' stands where it should not");
  expectRefused("\n\n{{ 'a }}", "line 3: a string does not end");
  expectRefused("{{ (1 }}", "line 1");
  expectRefused("{{ 1 + }}", "a tag ends too early");
  expectRefused("{{ }}", "a tag ends too early");
  expectRefused("{{ 1", "a tag does not end");
  expectRefused("{# x", "a comment does not end");
  expectRefused("{% for x on y %}{% endfor %}", "'on'");
  expectRefused("{{ a b }}", "'b' stands where it should not");
  expectRefused("{% set 1 = 2 %}", "line 1");
  expectRefused("{% break %}", "outside a loop");
  expectRefused("a\xFF", "not UTF-8");
}

TEST(ChatTemplateTest, TellsWhatIsNotSupported) {
  expectRefused("\n{% include 'x' %}",
                "line 2: the statement 'include' is not supported");
  expectRefused("{{ 1|wordwrap }}", "the filter 'wordwrap' is not supported");
  expectRefused("{{ 1 is nice }}", "the test 'nice' is not supported");
  expectRefused("{{ 'a'.encode() }}", "the method 'encode'");
  expectRefused("{{ messages.append(1) }}", "the method 'append'");
  expectRefused("{{ messages[0].items }}", "without a call");
  expectRefused("{% for x in [1] recursive %}{% endfor %}", "recursive");
  expectRefused("{{ '%s' % 1 }}", "not supported");
}

TEST(ChatTemplateTest, RefusesWhatPythonRefuses) {
  expectRefused("{{ foo.bar }}", "line 1: 'foo' is undefined");
  expectRefused("{{ messages[0].x.y }}", "'x' is undefined");
  expectRefused("{{ 'a' + 1 }}", "'+' does not take");
  expectRefused("{{ 1 // 0 }}", "division by zero");
  expectRefused("{{ 1 < 'a' }}", "no order");
  expectRefused("{% for x in 5 %}{% endfor %}", "cannot be iterated over");
  expectRefused("{% set a, b = [1] %}", "1 values are set to 2 names");
  expectRefused("{{ nothing() }}", "'nothing' is undefined");
  expectRefused("{% set d = {} %}{% set d.a = 1 %}", "no namespace");
  expectRefused("\n{{ raise_exception('two\nlines') }}",
                "line 2: the template refuses the messages: two lines");
  // Python would go on with larger integers.
  expectRefused("{{ 9223372036854775807 + 1 }}", "too large");
}

std::string repeat(std::string_view text, size_t count) {
  std::string result;
  for (size_t i = 0; i < count; ++i)
    result += text;
  return result;
}

// Each ends soon, with an error and neither a crash nor much memory.
TEST(ChatTemplateTest, EndsHostileTemplates) {
  auto begin = std::chrono::steady_clock::now();
  std::string loops;
  for (int i = 0; i < 4; ++i)
    loops += "{% for i in range(1000) %}";
  expectRefused(loops + repeat("{% endfor %}", 4), "steps");
  expectRefused("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "too deep");
  expectRefused("{{ range(1000000000) }}", "range");
  expectRefused("{{ 'abc' * 1000000000000 }}", "too long");
  expectRefused("{{ [1] * 100000000 }}", "too long");
  std::string grow = "{% set n = namespace(x='aaaaaaaa', l=[]) %}"
                     "{% for i in range(100000) %}";
  expectRefused(grow + "{% set n.x = n.x ~ n.x %}{% endfor %}", "too long");
  expectRefused(grow + "{% set n.l = n.l + [n.x] %}{% endfor %}",
                "too much memory or time");
  expectRefused(grow + "{% set n.l = [n.l, n.l] %}{% endfor %}", "too deep");
  expectRefused(grow + "{{ 'x' * 1000000 }}{% endfor %}", "too long");
  // Equal lists that share their parts: 2^90 comparisons.
  std::string twins =
      "{% set n = namespace(a=[], b=[]) %}{% for i in range(90) "
      "%}{% set n.a = [n.a, n.a] %}{% set n.b = [n.b, n.b] %}"
      "{% endfor %}";
  expectRefused(twins + "{{ n.a == n.b }}", "too much memory or time");
  expectRefused(twins + "{{ n.a|tojson }}", "too");
  expectRefused("{{ " + repeat("(", 100000) + repeat(")", 100000) + " }}",
                "nested too deep");
  expectRefused("{{ " + repeat("not ", 100000) + "1 }}", "nested too deep");
  expectRefused("{{ " + repeat("-", 100000) + "1 }}", "nested too deep");
  expectRefused(repeat("{% if 1 %}", 100000), "nested too deep");
  expectRefused("{{ 1" + repeat(" + 1", 100000) + " }}", "in a row");
  expectRefused("{{ 1" + repeat("|string", 100000) + " }}", "in a row");
  expectRefused("{{ 'x' * 30000000 in 'x' * 60000000 ~ 'y' }}{{ [1]|tojson("
                "indent=1000000000000) }}",
                "indent");
  std::chrono::duration<double> spent =
      std::chrono::steady_clock::now() - begin;
  EXPECT_LT(spent.count(), 60);
}

// Circles of namespaces, loops and macros: a leak checker sees to the rest.
TEST(ChatTemplateTest, LetsGoOfCircles) {
  expectChat("{% set n = namespace(x=1) %}{% set n.self = n %}"
             "{% set m = namespace(n=[n]) %}{% set n.m = m %}"
             "{% for i in [1, 2] %}{% set n.loop = loop %}{% endfor %}"
             "{% macro f() %}{% macro g() %}{{ n.x }}{% endmacro %}"
             "{% set n.g = g %}{% endmacro %}{{ f() }}{{ n.g() }}",
             talk, false, "1");
  std::string chain = "{% set n = namespace(x=1) %}"
                      "{% for i in range(20000) %}"
                      "{% set n.x = namespace(inner=n.x) %}{% endfor %}";
  expectChat(chain, talk, false, "");
}

TEST(ChatTemplateTest, GivesTheReferenceTexts) {
  std::string folder = sharedFile("smollm2/");
  if (!std::filesystem::exists(folder))
    GTEST_SKIP() << folder << " is absent";
  std::ifstream file(folder + "chat_template.jinja", std::ios::binary);
  std::string source((std::istreambuf_iterator<char>(file)),
                     std::istreambuf_iterator<char>());
  JsonValue cases = parseJsonFile(folder + "chat_cases.json");
  ASSERT_GE(cases.array()->size(), 4u);
  for (const JsonValue &row : *cases.array()) {
    Messages messages;
    for (const JsonValue &message : *row.find("messages")->array())
      messages.push_back(
          {*message.find("role")->text(), *message.find("content")->text()});
    EXPECT_EQ(renderChat(source, messages,
                         *row.find("add_generation_prompt")->boolean(),
                         "<|im_start|>", "<|im_end|>"),
              *row.find("rendered")->text());
  }
}

} // namespace
