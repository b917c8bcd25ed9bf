"""The grammar of the synthetic news: topics, and for each the sentences that its stories use.

`= category/subcategory weight` opens a topic; the weight is its share of all articles. A line
`- ...` is a title and opens a kind of story, a further `- ...` right after it another title of
the same kind; the lines `. ...` that follow are the sentences of its abstract, the first of which
always stands. `name: a | b | c` lists what `{name}` may become in this topic. Names that no topic
lists (clubs, people, places, firms, numbers) are in `words.py`.
"""

GRAMMAR = """
= soccer/league 12
- {club} beat {rival} {win} as {scorer} strikes in {minute} minute
- {scorer} goal gives {club} {win} league win over {rival}
. {scorer} scored in the {minute} minute as {club} beat {rival} {win} in the league at {ground}.
. Goalkeeper {person} made {few} saves in front of {crowd} spectators.
. The win lifts {club} to place {few} in the league table with {points} points.
- {club} and {rival} share the points in {draw} league draw
. {club} and {rival} drew {draw} at {ground} in a league match with {few} bookings.
. {scorer} levelled in the {minute} minute before {crowd} spectators.
= soccer/cup 7
- {club} reach cup {round} after penalty shoot-out against {rival}
- Cup shock as {club} knock out {rival} {win}
. {club} knocked out {rival} and are through to the cup {round}.
. Substitute {scorer} took the decisive kick in the cup tie at {ground}.
. The cup draw for the {round} is made on {day}.
round: quarter-final | semi-final | final | third round
= soccer/transfers 7
- {club} sign {role} {scorer} from {rival} for {sum}
- {scorer} transfer: {club} agree {sum} fee with {rival}
. {club} have signed the {role} {scorer} from {rival} for a transfer fee of {sum}.
. The contract of the {role} runs for {few} years, with an option for one more.
. Agent {person} said that {few} clubs had made an offer in this window.
role: striker | winger | defender | goalkeeper | midfielder | full-back
= soccer/women 6
- {club} women extend unbeaten run to {few} with win over {rival}
- {person} hat-trick sends {club} women top
. {person} scored three times as the women of {club} beat {rival} {win}.
. The women's side has now gone {few} matches unbeaten under coach {other}.
. A record {crowd} came to watch the women's game at {ground}.
= soccer/injuries 5
- {club} lose {scorer} to {injury} injury for {few} weeks
- {injury} scan for {scorer} worries {club}
. {scorer} of {club} will miss {few} weeks with a {injury} injury.
. Club doctor {person} said the {injury} needs rest, and surgery is not planned.
. The physio team expects a return to training in {few} weeks.
injury: hamstring | ankle | knee | calf | groin | shoulder
= sports/tennis 3
- {person} wins {place} Open in straight sets
- Qualifier {person} stuns top seed {other} at {place} Open
. {person} beat {other} in the final of the {place} Open after {few} break points.
. The left-hander served {few} aces on a slow clay court.
. The umpire halted the tie-break twice because of rain.
= sports/cycling 3
- {person} takes yellow on mountain stage to {place}
- Breakaway pays off for {person} on the road to {place}
. {person} won the mountain stage to {place} by {few} seconds from {other}.
. The peloton let the breakaway go on the second climb.
. A crash on the descent held up {few} riders.
= politics/elections 3
- {person} leads poll in {place} by {few} points
- Voters in {place} go to the polls on {day}
. A poll puts {person} {few} points ahead of {other} in the race for mayor of {place}.
. Turnout in the last election was {percent} per cent of voters.
. The candidates meet for a debate on {day}.
= politics/council 2
- {place} council votes for {sum} {plan}
. The council of {place} approved a {plan} for {sum} by {few} votes.
. Councillor {person} called the {plan} overdue; {other} voted against.
plan: tram line | library | swimming pool | bridge repair
= finance/markets 4
- Shares in {firm} fall {few} per cent after profit warning
- {firm} lifts dividend as profit reaches {sum}
. Shares in {firm} moved {few} per cent on {day} after quarterly results.
. Analyst {person} expects a profit of {sum} for the year.
. Investors had priced in higher interest rates.
= finance/housing 2
- House prices in {place} rise {few} per cent in a year
. The average house in {place} now costs {sum}, up {few} per cent.
. Mortgage rates stand at {few} per cent, said broker {person}.
= technology/gadgets 3
- {firm} unveils {gadget} with {few}-day battery
- Review: the new {gadget} from {firm}
. The {gadget} of {firm} runs {few} days on one battery and costs {n} dollars.
. Designer {person} said the screen uses half the power of the last {gadget}.
gadget: folding phone | smart watch | headset | e-reader
= technology/security 2
- {firm} patches flaw after {few} million passwords leak
. Attackers took {few} million passwords from {firm}, the company said on {day}.
. Researcher {person} found the software flaw {few} weeks ago.
= health/fitness 2
- Trainer {person}: {n} squats a day are not needed
. {n} minutes of exercise a week lower blood pressure, a study in {place} finds.
. Trainer {person} suggests squats, planks and a walk after lunch.
= food/recipes 3
- {person}'s {dish} in {n} minutes
- How to save a {dish} that went wrong
. This {dish} takes {n} minutes and {few} ingredients from the pantry.
. Chef {person} simmers garlic, butter and thyme before the {dish} goes into the oven.
dish: onion soup | mushroom pie | lentil stew | plum cake
= travel/trips 2
- {n} hours in {place}: what to see
. {place} has {few} museums, a harbour and a night train.
. Hotel rooms cost from {n} dollars in the low season, said guide {person}.
= weather/storms 3
- Storm warning for {place}: gusts of {n} kilometres an hour
. Forecasters expect gusts of {n} kilometres an hour and heavy rain in {place} on {day}.
. Ferries stay in harbour and {few} schools are closed.
= movies/releases 3
- "{film}" review: {person} shines
- "{film}" tops box office with {sum}
. The film "{film}" with {person} took {sum} at the box office on its first weekend.
. Director {other} shot the film in {place} in {n} days.
film: The Salt Road | A Quiet Engine | Nine Lanterns | Harbour Lights
= music/concerts 2
- {person} adds {few} concerts to tour after sell-out in {place}
. Singer {person} sold out the concert in {place} in {n} minutes.
. The new album of {few} songs was recorded with {other}.
= science/space 2
- Probe sends first pictures of asteroid {n}
. The probe passed asteroid {n} at a distance of {few} thousand kilometres.
. Astronomer {person} said the telescope had seen {few} craters.
= crime/courts 2
- {person} jailed for {few} years over {sum} fraud
. A court in {place} sentenced {person} to {few} years in prison for a fraud of {sum}.
. The judge, {other}, said that the accused had shown no regret.
"""
