/** What FROM, subqueries and persons are refused for, and where. */
import { loadSqlParser } from "../../../../node/data-sharing/plan/parse-sql.ts";
import { expectRefusal } from "./questions.ts";
import { clinic } from "./random/clinic.ts";
import { clinicPlan } from "./random/clinic-plan.ts";

const count = (from: string) => `SELECT COUNT(*) AS n FROM ${from}`;

/** SQL with ^ before the place that is refused, and a part of the reason. */
const refusals: Record<string, [string, string][]> = {
  "the person": [
    ["SELECT ^person FROM visits", "never shown"],
    ["SELECT ^person, COUNT(*) FROM visits GROUP BY person", "never shown"],
    ["SELECT COUNT(*) FROM visits GROUP BY ^person", "never shown"],
    ["SELECT COUNT(^person) FROM visits", "COUNT(DISTINCT person)"],
    ["SELECT MIN(^person) AS m FROM visits", "COUNT(DISTINCT person)"],
    ["SELECT MEDIAN(^visits.person) AS m FROM visits", "COUNT(DISTINCT person)"],
    ["SELECT COUNT(CASE WHEN ^person = 3 THEN 1 END) FROM visits", "never shown"],
    ["SELECT SUM(CASE WHEN acute THEN ^person ELSE 0 END) AS s FROM visits", "never shown"],
    [`${count("visits")} WHERE ^person = 3`, "never shown"],
    [`${count("visits")} WHERE ^person IS NULL`, "never shown"],
    [`${count("visits")} WHERE ^person IN (1, 2)`, "never shown"],
    [`${count("visits")} WHERE ^person LIKE 'a%'`, "never shown"],
    [`${count("visits")} WHERE COALESCE(^person, 3) = 3`, "never shown"],
    [`${count("visits")} ORDER BY ^person`, "never shown"],
    ["SELECT COUNT(*) AS n FROM visits HAVING MIN(^person) > 3", "COUNT(DISTINCT person)"],
    ["SELECT ^COUNT(DISTINCT age) AS n FROM visits", "DISTINCT counts persons only"],
    ["SELECT ^SUM(DISTINCT person) AS n FROM visits", "DISTINCT counts persons only"],
    [`${count("visits")} WHERE ^patient_id = 3`, "no column patient_id"],
    [count("visits v JOIN districts d ON v.region = d.region AND v.age = ^d.person"), "has no column person"],
  ],
  "joins on the person": [
    [count("visits v JOIN ^patients p ON v.age = p.age"), "not joined on the person"],
    [count("visits v JOIN ^patients p ON v.person <> p.person"), "not joined on the person"],
    [count("visits v JOIN ^patients p ON v.person = v.person"), "not joined on the person"],
    [count("visits v JOIN ^patients p ON TRUE"), "not joined on the person"],
    [
      count(
        "visits v JOIN patients p USING (person) JOIN visits w ON v.person = w.person AND (^v.person = p.person OR TRUE)",
      ),
      "never shown",
    ],
    [count("visits v JOIN ^patients p ON v.person = p.person OR TRUE"), "not joined on the person"],
    [count("visits v JOIN ^patients p ON NOT (v.person = p.person)"), "not joined on the person"],
    [count("visits v JOIN patients p ON person ^= p.person"), "whose person"],
    [
      count("visits v JOIN patients p ON v.person = p.person JOIN ^visits w ON w.age = v.age"),
      "w is not joined on the person",
    ],
    [
      count("visits v JOIN ^visits w ON v.age = w.age JOIN patients p ON v.person = p.person"),
      "w is not joined on the person",
    ],
    [count("visits v JOIN ^patients p USING (age)"), "joined on the person"],
    [count("visits v, ^patients p WHERE v.person = p.person"), "commas"],
    [count("^visits CROSS JOIN patients"), "CROSS JOIN"],
    [count("^visits NATURAL JOIN patients"), "NATURAL JOIN"],
    [count("^visits v LEFT JOIN patients p ON v.person = p.person"), "outer joins"],
    [count("^visits v FULL JOIN patients p USING (person)"), "outer joins"],
    [count("visits JOIN ^visits USING (person)"), "two tables are called visits"],
    [count("(^visits v JOIN patients p USING (person)) AS j"), "a name for a join"],
    [count("visits v JOIN patients p USING (person) WHERE ^age > 3"), "several tables"],
    [count("visits v JOIN patients p USING (person) WHERE ^visits.age > 3"), "visits.age is not a column of"],
  ],
  "public tables": [
    [count("^districts"), "public tables only"],
    [count("^districts d JOIN rates r ON d.income = r.years"), "public tables only"],
    [count("visits v JOIN ^districts d ON v.age > d.income"), "joined by nothing"],
    [count("visits v JOIN ^districts d ON d.region = 'north'"), "joined by nothing"],
    [count("visits v JOIN ^rates r ON r.years = param.years"), "joined by nothing"],
    [count("visits v JOIN ^districts d ON TRUE WHERE v.region = d.region"), "joined by nothing"],
    [
      count("visits v JOIN districts d ON v.region = d.region JOIN ^rates r ON r.years = d.income"),
      "joined by nothing",
    ],
    [count("visits v JOIN rates r ON v.region ^= r.years"), "another type"],
    [count("visits v JOIN holidays h ON v.age ^= h.day"), "another type"],
    [count("visits v JOIN holidays h ON v.acute ^= h.day"), "another type"],
    [count("visits v JOIN districts d ON v.day ^= d.region"), "another type"],
    [count("visits v JOIN ^districts d USING (person)"), "a public table has no persons"],
    [
      "SELECT ^zones AS z, COUNT(*) FROM visits v JOIN districts d USING (region) GROUP BY z",
      "no column zones",
    ],
    [
      count("visits v JOIN (SELECT person FROM ^districts GROUP BY person) d USING (person)"),
      "public tables only",
    ],
  ],
  subqueries: [
    [count("(SELECT region, COUNT(*) AS n FROM visits GROUP BY ^region) s"), "GROUP BY person"],
    [count("(SELECT person, COUNT(*) AS n FROM visits GROUP BY person, ^region) s"), "GROUP BY person"],
    [count("(SELECT ^person FROM visits) s"), "GROUP BY person"],
    [count("(SELECT person, ^age FROM visits GROUP BY person) s"), "COUNT, SUM, MIN and MAX"],
    [count("(SELECT person, ^AVG(age) AS a FROM visits GROUP BY person) s"), "COUNT, SUM, MIN and MAX"],
    [count("(SELECT ^person AS who, COUNT(*) AS n FROM visits GROUP BY person) s"), "keeps its name"],
    [count("(SELECT ^COUNT(*) AS person FROM visits GROUP BY person) s"), "is the person"],
    [count("(SELECT person, ^COUNT(DISTINCT age) AS n FROM visits GROUP BY person) s"), "DISTINCT"],
    [count("(SELECT person, COUNT(*) AS n FROM visits GROUP BY person LIMIT ^1) s"), "inside of a subquery"],
    [count("(SELECT person FROM visits GROUP BY person ORDER BY ^COUNT(*)) s"), "inside of a subquery"],
    [count("(SELECT person FROM visits GROUP BY person HAVING COUNT(*) ^> 1) s"), "inside of a subquery"],
    [count("(SELECT person, SUM(^region) AS n FROM visits GROUP BY person) s"), "SUM takes numbers"],
    [count("(SELECT person, MIN(^region) AS n FROM visits GROUP BY person) s"), "numbers and dates"],
    [count("(SELECT ^person FROM visits GROUP BY person)"), "needs a name"],
    [count("LATERAL (SELECT ^person FROM visits GROUP BY person) s"), "LATERAL"],
    [count("(SELECT person FROM visits WHERE ^wages > 3 GROUP BY person) s"), "no column wages"],
    [count("(SELECT person, COUNT(*) AS n FROM visits GROUP BY person) s WHERE ^age > 3"), "no column age"],
    [
      "SELECT SUM(n) AS s FROM (SELECT ^person, COUNT(*) AS n, SUM(age) AS n FROM visits GROUP BY person) q",
      "two columns",
    ],
    [
      count(
        "(SELECT person, COUNT(*) AS n FROM (SELECT person, ^AVG(age) AS a FROM visits GROUP BY person) t GROUP BY person) s",
      ),
      "COUNT, SUM, MIN and MAX",
    ],
    [`${count("visits")} WHERE age = ^(SELECT 1)`, "subqueries"],
    ["SELECT ^(SELECT COUNT(*) FROM visits) AS n FROM visits", "subqueries"],
  ],
};

describe("refused FROM", () => {
  before(loadSqlParser);
  const parameters = { years: { type: "integer" as const, minimum: 0, maximum: 5, default: 1 } };

  for (const [group, cases] of Object.entries(refusals))
    for (const [marked, reason] of cases)
      it(`says where and why of ${group}: ${marked}`, () => {
        expectRefusal(marked, reason, (sql) => clinicPlan(sql, { parameters }));
      });

  it("says how many rows a person could have, also where a subquery makes one of them", () => {
    const often = { ...clinic, rowsPerPerson: 1_000 };
    const joined = "visits a JOIN visits b ON a.person = b.person JOIN visits c ON a.person = c.person";
    for (const marked of [
      `SELECT ^COUNT(*) AS n FROM ${joined}`,
      count(`(SELECT ^a.person, COUNT(*) AS n FROM ${joined} GROUP BY a.person) AS s`),
    ])
      expectRefusal(marked, "a person could have 1000000000 rows", (sql) => clinicPlan(sql, {}, often));
  });
});
