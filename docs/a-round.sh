#!/usr/bin/env bash
# A round from its first delivery to its last registration, in a rehearsal: 2021, whose phases are all known.
#
#   docs/a-round.sh                        20,000 invented applicants, in out/a-round
#   APPLICANTS=300 docs/a-round.sh DIR     a small round, in another new folder
#
# It prints what a person would see, and stops where anything is not as it must be.
set -euo pipefail

applicants=${APPLICANTS:-20000}
folder=${1:-out/a-round}
code=$(cd "$(dirname "$0")/.." && pwd)
if [ -x "$code/.venv/bin/luohu" ]; then PATH=$code/.venv/bin:$PATH; fi
if [ -e "$folder" ]; then
  echo "a-round: expected a new folder, found $folder" >&2
  exit 2
fi
mkdir -p "$folder"
cd "$folder"

# --- How it is told ----------------------------------------------------------

at=""     # the time it is, from one step to the next
said=""   # what the last command said on stdout
errors=errors.txt

chapter() { printf '\n## %s\n' "$*"; }

# Run a command at the time it is; show it and what it says, the note of a rehearsal excepted.
attempt() {
  printf '\n[%s] $ %s\n' "$at" "$*"
  status=0
  said=$("$@" --at "$at" 2>"$errors") || status=$?
  show "$said"
}
# The same for a command that reads no clock.
look() {
  printf '\n$ %s\n' "$*"
  status=0
  said=$("$@" 2>"$errors") || status=$?
  show "$said"
}
show() {
  local lines
  lines=$(wc -l <<<"$1")
  if [ "$lines" -gt 16 ]; then
    sed -n '1,9s/^/    /p' <<<"$1"
    echo "    ... $((lines - 12)) lines more"
    tail -n 3 <<<"$1" | sed 's/^/    /'
  elif [ -n "$1" ]; then
    sed 's/^/    /' <<<"$1"
  fi
  sed -n '/^luohu: rehearsal/!s/^/    /p' "$errors"
}
fail() {
  echo "a-round: $*" >&2
  exit 1
}
# It was done.
ok() { "$@"; [ "$status" = 0 ] || fail "expected exit status 0, found $status"; }
# It was refused in one line that says so, and nothing was recorded.
refused() {
  local words=$1 before=""
  shift
  before=$(head_of_ledger)
  "$@"
  [ "$status" = 2 ] || fail "expected exit status 2, found $status"
  [ "$(grep -cv '^luohu: rehearsal' "$errors")" = 1 ] || fail "expected one line"
  grep -q -- "$words" "$errors" || fail "expected a message with: $words"
  [ "$before" = "$(head_of_ledger)" ] || fail "expected nothing recorded"
}
head_of_ledger() { { tail -n 1 warehouse/ledger.jsonl 2>/dev/null || true; } | sha256sum | cut -c 1-16; }
# Something is as it must be.
is() {
  [ "$2" = "$3" ] || fail "$1: expected $2, found $3"
  echo "    ok: $1: $3"
}
first_word_after() { sed -n "s/^$1 //p" <<<"$said" | sed -n 1p; }

# A question to the database, as an analyst asks it, or to the delivered files, as a department would.
sql() {
  python - "$1" <<'END'
import os, sys
import duckdb

with duckdb.connect() as connection:
    if os.path.exists("warehouse/luohu.duckdb"):
        connection.execute("ATTACH 'warehouse/luohu.duckdb' AS luohu (READ_ONLY)")
        connection.execute("USE luohu")
    found = connection.execute(sys.argv[1]).fetchall()
print("\n".join("|".join(map(str, row)) for row in found))
END
}
person_of() {
  sql "SELECT DISTINCT person_id FROM read_parquet('pieces/*-applications-*/files/*.parquet')
       WHERE application_no = '$1'"
}

# Applicants with their person, of whom nothing is wrong in what was delivered.
everybody="SELECT any_value(application_no) AS application_no, person_id
  FROM read_parquet('pieces/*-applications-*/files/*.parquet')
  WHERE length(person_id) = 18 AND person_id IN (SELECT person_id FROM read_parquet('pieces/*-tax-*/files/*.parquet'))
  GROUP BY person_id HAVING min(application_no) = max(application_no) AND regexp_full_match(min(application_no), '[0-9]{12}')"
list_of_2021() { sql "SELECT md5(string_agg(l::VARCHAR, '' ORDER BY serial)) FROM public_list AS l WHERE round = 2021"; }

# Deliver one simulated piece at the time its department brought it, or at another.
bring() {
  local piece=$1 feed withdrawn=()
  feed=$(cut -d- -f2 <<<"$piece")
  if [ -f "pieces/$piece/withdrawn.csv" ]; then
    withdrawn=(--withdrawn "pieces/$piece/withdrawn.csv")
  fi
  said=$(luohu deliver 2021 "$feed" "pieces/$piece/files" --note "pieces/$piece/note.toml" \
    "${withdrawn[@]}" --by 李明 --at "$at" 2>"$errors") || fail "$piece: $(cat "$errors")"
  echo "    [$at] $(sed -n '1p;2p;3p' <<<"$said" | paste -sd ';' | sed 's/;/; /g')"
}
# Bring a correction about one person: a file that a department wrote, with its note.
correct() {
  local feed=$1 file=$2 department=$3
  look luohu note 2021 "$feed" "$file" --scope people --department "$department" \
    --delivered-at "$at" --out "$file.toml"
  ok attempt luohu deliver 2021 "$feed" "$file" --note "$file.toml" --by 李明
  delivery=$(first_word_after delivery)
}

# --- Before it begins --------------------------------------------------------

chapter "Seventeen feeds of $applicants invented people, in pieces as departments bring them"
ok look luohu simulate 2021 --out pieces --applicants "$applicants" --seed 8 --deliveries
pieces=$(tail -n +2 pieces/deliveries.csv | wc -l)
echo "    $pieces pieces by $(tail -n +2 pieces/deliveries.csv | cut -d, -f4 | sort -u | wc -l) departments"

# --- Filing and the departments' summary -------------------------------------

chapter "申报, from April: departments deliver; each hears of its bad rows the same day"
first=$(sed -n '2s/,.*//p' pieces/deliveries.csv)
at=2021-04-20T09:00
cp -r "pieces/$first" wrong
sed -i 's/^rows = \(.*\)/rows = 1\1/' wrong/note.toml
refused "rows: expected" attempt luohu deliver 2021 applications wrong/files --note wrong/note.toml --by 李明
while IFS=, read -r piece feed scope department delivered; do
  at=${delivered%+*}
  case $piece in *people | *honours*) continue ;; esac
  bring "$piece"
done < <(tail -n +2 pieces/deliveries.csv)
echo "    the first one comes again:"
head_before=$(head_of_ledger)
bring "$first"
is "nothing is recorded twice" "$head_before" "$(head_of_ledger)"
doubled=$(awk -F, '$3 == "part" { print $1; exit }' pieces/deliveries.csv)
feed=$(cut -d- -f2 <<<"$doubled")
echo "    a part of $feed comes again, as if it were another:"
look luohu note 2021 "$feed" "pieces/$doubled/files" --scope part --department 办公室 --delivered-at "$at" --out doubled.toml
refused "found one that stands in" attempt luohu deliver 2021 "$feed" "pieces/$doubled/files" --note doubled.toml --by 李明

chapter "部门审核结果汇总, from 15 May: the honours are missing"
at=2021-05-15T08:05
ok attempt luohu tick
attempt luohu status 2021
is "something is late" 1 "$status"
at=2021-05-16T10:00
for piece in $(cd pieces && ls -d *-honours-all *-honours-part 2>/dev/null); do bring "$piece"; done
attempt luohu status 2021
is "nothing is late" 0 "$status"

chapter "Corrections, which replace what was known of a person, or withdraw it"
while IFS=, read -r piece feed scope department delivered; do
  at=${delivered%+*}
  case $piece in *people) bring "$piece" ;; esac
done < <(tail -n +2 pieces/deliveries.csv)

chapter "A mistaken entry is taken back; it stays in the ledger"
someone=$(sql "SELECT min(person_id) FROM ($everybody)")
sql "COPY (SELECT '$someone' AS person_id, DATE '2019-03-01' AS decided_on) TO 'mistake.parquet'" >/dev/null
at=2021-05-21T09:00
correct detentions mistake.parquet 公安
entry=$(sed -n 's/^recorded as entry //p' <<<"$said")
ok attempt luohu retract "$entry" --reason "另一人的材料" --by 李明 --and-by 王芳
is "deliveries taken back" "$delivery" \
  "$(sql "SELECT delivery_id FROM deliveries WHERE round = 2021 AND retracted")"

chapter "复查: an applicant without a permit on record asks again, and is right"
applicant=$(sql "SELECT min(application_no) FROM ($everybody)
  WHERE person_id NOT IN (SELECT person_id FROM read_parquet('pieces/*-residence_permits-*/files/*.parquet')
                          WHERE valid_from <= DATE '2020-12-31' AND coalesce(valid_to, DATE '9999-12-31') >= DATE '2020-12-31'
                            AND person_id IS NOT NULL)")
at=2021-05-22T09:00
ok attempt luohu appeal file 2021 "$applicant" residence_permit --claim "居住证一直有效" --by 李明
review=$(first_word_after appeal)
refused "pending" attempt luohu appeal file 2021 "$applicant" residence_permit --claim "再次申请" --by 李明
refused "ID number" attempt luohu appeal file 2021 "$applicant" law --claim "我是 11010519491231002X" --by 李明
at=2021-05-25T15:00
person=$(person_of "$applicant")
sql "COPY (SELECT '$person' AS person_id, DATE '2015-03-01' AS valid_from, NULL::DATE AS valid_to)
     TO 'permit.parquet'" >/dev/null
correct residence_permits permit.parquet 公安
refused "somebody else" attempt luohu appeal decide "$review" upheld --reason "经核实" --delivery "$delivery" --by 李明 --and-by 王芳
ok attempt luohu appeal decide "$review" upheld --reason "经核实" --delivery "$delivery" --by 王芳 --and-by 张伟

# --- Results, and appeals against them ---------------------------------------

chapter "审核结果查询, from 4 June: a preliminary run, and applicants ask for their results"
at=2021-06-04T08:05
ok attempt luohu tick
preliminary=$(sql "SELECT run_id FROM rounds WHERE round = 2021")
is "the round" preliminary "$(sql "SELECT state FROM rounds WHERE round = 2021")"
is "the permit counts" True "$(sql "SELECT residence_permit FROM eligibility WHERE round = 2021 AND application_no = '$applicant'")"
# those nearest below the line, or the last who settle where all do, who hold no honour
near=$(sql "SELECT application_no FROM ranking JOIN scores USING (round, application_no)
            WHERE round = 2021 AND honour = 0 ORDER BY settled, CASE WHEN settled THEN -rank ELSE rank END,
            application_no LIMIT 5")
mapfile -t those <<<"$near"
ok look luohu explain 2021 "${those[0]}"

chapter "申诉: against one indicator each"
at=2021-06-07T10:00
{
  echo "application_no,subject,claim"
  echo "${those[0]},honour,省级劳动模范未计入"
  echo "${those[1]},residence,租房登记未计入"
  echo "${those[2]},age,年龄计算有误"
  echo "${those[3]},employment,缴费记录不全"
} >appeals.csv
ok attempt luohu appeal file 2021 --from appeals.csv --by 李明
mapfile -t appeals < <(sed -n 's/^appeal //p' <<<"$said")
is "appeals entered" 4 "${#appeals[@]}"
at=2021-06-10T16:00
ok attempt luohu appeal withdraw "${appeals[3]}" --by 李明
at=2021-06-12T09:00
refused "query" attempt luohu appeal file 2021 "${those[4]}" education --claim "学历未认证" --by 李明
ok attempt luohu appeal file 2021 "${those[4]}" education --claim "学历未认证" --received-on 2021-06-11T17:00 \
  --override "材料在窗口期内递交" --by 李明 --and-by 赵敏
late=$(first_word_after appeal)
ok look luohu appeal list 2021 --pending

# --- Re-check and ranking ----------------------------------------------------

chapter "部门复核及积分排名, from 12 June: what departments bring is what decides"
at=2021-06-15T10:00
person=$(person_of "${those[0]}")
sql "COPY (SELECT '$person' AS person_id, 'model_worker_provincial' AS title,
     DATE '2016-05-01' AS awarded_on, NULL::DATE AS revoked_on) TO 'honour.parquet'" >/dev/null
correct honours honour.parquet 各主管部门
honour=$delivery
person=$(person_of "${those[1]}")
sql "COPY (SELECT * FROM read_parquet('pieces/*-housing-*/files/*.parquet') WHERE person_id = '$person'
     UNION ALL BY NAME SELECT '$person' AS person_id, 'rent' AS kind, '110114' AS district,
     DATE '2020-08-01' AS start_date, NULL::DATE AS end_date, DATE '2020-08-01' AS registered_on)
     TO 'housing.parquet'" >/dev/null
correct housing housing.parquet 住建
housing=$delivery
at=2021-06-16T10:00
before=$(head_of_ledger)
ok attempt luohu appeal decide "${appeals[0]}" upheld --reason "荣誉属实" --delivery "$honour" --by 王芳 --and-by 张伟 --preview
is "a preview records nothing" "$before" "$(head_of_ledger)"
ok attempt luohu appeal decide "${appeals[0]}" upheld --reason "荣誉属实" --delivery "$honour" --by 王芳 --and-by 张伟
refused "" attempt luohu appeal decide "${appeals[0]}" refused --reason "再议" --by 王芳 --and-by 张伟
ok attempt luohu appeal decide "${appeals[1]}" partly_upheld --reason "自登记之日起" --delivery "$housing" --by 王芳 --and-by 张伟
ok attempt luohu appeal decide "${appeals[2]}" refused --reason "以身份证为准" --by 王芳 --and-by 张伟
refused "pending" attempt luohu publish 2021 --by 王芳 --and-by 张伟
ok attempt luohu appeal decide "$late" refused --reason "无新材料" --by 王芳 --and-by 张伟

chapter "The final run, and the preliminary one again as it was known then"
refused "lacks deliveries" attempt luohu publish 2021 --by 王芳 --and-by 张伟
at=2021-07-05T09:00
ok attempt luohu run 2021 --direct
final=$(sql "SELECT run_id FROM rounds WHERE round = 2021")
[ "$final" != "$preliminary" ] || fail "expected another run"
ok attempt luohu run 2021 --as-known-on 2021-06-05 --direct
grep -q "$preliminary" <<<"$said" || fail "expected run $preliminary again"
is "the current run" "$final" "$(sql "SELECT run_id FROM rounds WHERE round = 2021")"
ok look luohu displacement 2021
is "decisions that were upheld" 3 "$(sql "SELECT count(*) FROM displacement WHERE round = 2021")"
is "what the honour did, in points" 20.00 \
  "$(sql "SELECT total_after - total_before FROM displacement WHERE appeal_id = '${appeals[0]}'")"

# --- Publication -------------------------------------------------------------

chapter "公示, from 12 July: two people publish"
at=2021-07-12T08:05
ok attempt luohu tick
grep -q "not published" "$errors" || fail "expected the alarm"
attempt luohu status 2021
is "something is late" 1 "$status"
at=2021-07-12T09:00
refused "another person" attempt luohu publish 2021 --by 王芳 --and-by "王　芳"
ok attempt luohu publish 2021 --by 王芳 --and-by 张伟
published=$(first_word_after head)
is "the round" published "$(sql "SELECT state FROM rounds WHERE round = 2021")"
attempt luohu status 2021
is "nothing is late" 0 "$status"
list=$(list_of_2021)

chapter "From here on the list stands"
at=2021-07-13T09:00
cp honour.parquet another.parquet
look luohu note 2021 honours another.parquet --scope people --department 各主管部门 --delivered-at "$at" --out another.toml
refused "belongs to" attempt luohu deliver 2021 honours another.parquet --note another.toml --by 李明
refused "published" look luohu current 2021 "$preliminary"
refused "once" attempt luohu publish 2021 --by 王芳 --and-by 张伟

chapter "An objection to a place, upheld: it stays empty"
serial() { sql "SELECT serial FROM ranking WHERE round = 2021 AND serial IS NOT NULL ORDER BY serial LIMIT 1 OFFSET $1"; }
at=2021-07-14T10:00
ok attempt luohu objection file 2021 "$(serial 9)" --ref "信访 2021-88" --by 李明
objection=$(first_word_after objection)
at=2021-07-18T10:00
ok attempt luohu objection decide "$objection" upheld --reason "材料不实" --by 王芳 --and-by 张伟

# --- Registration ------------------------------------------------------------

chapter "落户办理, from 20 July: places are used, with children, or given up"
at=2021-07-20T08:05
ok attempt luohu tick
at=2021-08-02T10:00
{
  echo "serial,status,on,children"
  echo "$(serial 0),registered,2021-08-02,2"
  echo "$(serial 1),registered,2021-08-02,"
  echo "$(serial 2),registered,2021-08-02,1"
} >settled.csv
ok attempt luohu settle 2021 --from settled.csv --by 李明
ok attempt luohu settle 2021 "$(serial 3)" withdrawn --on 2021-08-01 --by 李明
refused "" attempt luohu settle 2021 "$(serial 9)" registered --on 2021-08-02 --by 李明

chapter "False material found after publication: the place is cancelled, and the bar lasts"
at=2021-09-06T10:00
sanctioned=$(sql "SELECT application_no FROM ranking WHERE round = 2021 AND serial = $(serial 2)")
ok attempt luohu sanction 2021 "$sanctioned" --found-on 2021-09-01 --reason "伪造学历" --by 王芳 --and-by 张伟
ok look luohu sanction export --out findings.csv
sed '2,$s/^[^,]*/(an ID number)/; s/^/    /' findings.csv
ok attempt luohu run 2021 --direct
is "the published run stays current" "$final" "$(sql "SELECT run_id FROM rounds WHERE round = 2021")"
person=$(person_of "$sanctioned")
for year in 2022 2023; do
  ok look luohu simulate "$year" --out "feeds-$year" --applicants 200
  sql "COPY (SELECT * REPLACE ('$year-again' AS application_no, TIMESTAMP '$year-05-05 10:00:00' AS submitted_at)
       FROM read_parquet('pieces/*-applications-*/files/*.parquet') WHERE person_id = '$person' LIMIT 1)
       TO 'feeds-$year/applications/again.parquet'" >/dev/null
  ok look luohu run "$year" --feeds "feeds-$year" --direct
  is "barred in $year" "False|1" "$(sql "SELECT not_barred, (SELECT count(*) FROM eligibility WHERE round = $year AND NOT not_barred
    AND application_no = '$year-again') FROM eligibility WHERE round = $year AND application_no = '$year-again'")"
done

chapter "Registration is over: what nobody used lapses, and no place is given again"
at=2024-01-02T08:05
ok attempt luohu tick
settled=$(sql "SELECT settled FROM rounds WHERE round = 2021")
is "cancelled, withdrawn, lapsed, registered, children" "2|1|$((settled - 5))|2|2" \
  "$(sql "SELECT cancelled, withdrawn, lapsed, registered, children FROM rounds WHERE round = 2021")"
is "the public list" "$list" \
  "$(list_of_2021)"
attempt luohu status 2021
is "nothing is late" 0 "$status"

chapter "An auditor, years later"
ok look luohu audit 2021
ok look luohu ledger 2021 --head "$published"
ok look luohu ledger --verify
echo
echo "a-round: everything is as it must be"
