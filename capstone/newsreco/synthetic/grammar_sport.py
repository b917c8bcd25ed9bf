"""What the synthetic news says about soccer and other sports; the form is told in `topics.py`."""

SPORT = """
~ soccer: The soccer club plays its next match on {day} at {ground}
~ soccer: Soccer correspondent {person2} follows the team, the coach and the season
~ sports: The athletes meet again at the national championships on {day}
~ sports: The sports federation sends medals, officials and a doping test
= soccer/league 12
- {club} beat {rival} {win} as {scorer} strikes in {minute} minute
- {scorer} goal gives {club} {win} league win over {rival}
. {scorer} scored in the {minute} minute as {club} beat {rival} {win} in the league at {ground}.
. Goalkeeper {keeper} made {2-9} saves in front of {crowd} spectators.
. The win lifts {club} to place {3-8} in the league table with {11-60} points.
. {rival} have now lost {2-6} away games in a row.
- {club} and {rival} share the points in {draw} league draw
- Late equaliser by {scorer} saves a point for {club} against {rival}
. {club} and {rival} drew {draw} at {ground} in a league match with {2-9} bookings.
. {scorer} levelled in the {minute} minute before {crowd} spectators.
. Both sides stay in mid-table, with {11-60} points for {club}.
= soccer/cup 8
- {club} reach cup {round} after penalty shoot-out against {rival}
- {keeper} saves two penalties as {club} knock out {rival}
. {club} won the penalty shoot-out against {rival} and are through to the cup {round}.
. Goalkeeper {keeper} saved two spot kicks; {scorer} took the decisive one.
. The knockout tie at {ground} had ended {draw} after extra time.
- Cup shock: {club} knock out holders {rival} {win}
- {club} dump {rival} out of the cup in {minute} minute
. {club} knocked holders {rival} out of the cup with a {win} win at {ground}.
. Substitute {scorer} headed the knockout winner in the {minute} minute.
. The draw for the cup {round} is made on {day}.
round: quarter-final | semi-final | final | third round | fifth round
= soccer/transfers 8
- {club} sign {role} {target} from {rival} for {sum}
- {target} transfer: {club} agree {sum} fee with {rival}
. {club} have signed the {role} {target} from {rival} for a transfer fee of {sum}.
. The contract runs for {2-5} years, with an option for one more.
. Agent {person} said that {3-8} clubs had made an offer before the window shuts on {day}.
- {rival} turn down {sum} bid from {club} for {target}
- {target} hands in transfer request at {rival}
. {rival} have turned down a bid of {sum} from {club} for the {role} {target}.
. The {role} has {1-4} years left on the contract and has asked to leave.
. {club} may return with a loan offer before the window shuts on {day}.
role: striker | winger | defender | goalkeeper | midfielder | full-back
= soccer/women 6
- {club} women extend unbeaten run to {11-30} with win over {rival}
- {woman} hat-trick sends {club} women top
. {woman} scored three times as the women of {club} beat {rival} {rout}.
. The women's side has now gone {11-30} matches unbeaten under coach {person}.
. A record {crowd} came to watch the women's game at {ground}.
- {woman} named captain of the women's national team
- National coach {person} calls up {woman} of {club} women
. {woman} of {club} leads the women's national team in the qualifier on {day}.
. The forward has won {20-90} caps and scored {2-9} international goals.
. Coach {person} left out {3-8} players of the last squad.
= soccer/injuries 5
- {club} lose {scorer} to {injury} injury for {2-9} weeks
- {injury} scan worries {scorer} and {club}
. {scorer} of {club} will miss {2-9} weeks with a {injury} injury.
. Club doctor {person} said the {injury} needs rest, and surgery is not planned.
. The physio team expects {scorer} back in training before the match against {rival}.
- {scorer} back in {club} training after {injury} surgery
. {scorer} trained with {club} on {day}, {30-120} days after surgery on the {injury}.
. Physio {person} said that rehab went well; a comeback against {rival} is possible.
injury: hamstring | ankle | knee | calf | groin | shoulder
= soccer/fans 4
- {club} fans march against {sum} stadium plan
- {club} to raise season tickets by {2-9} per cent
. Supporters of {club} marched to {ground} on {day} to protest against the owners.
. A season ticket will cost {2-9} per cent more; the new stand costs {sum}.
. {person} of the supporters' trust collected {crowd} signatures.
- Owner {person} puts {club} up for sale for {sum}
. Owner {person} wants {sum} for {club}, and {2-9} bidders have asked for the books.
. The supporters' trust demands a seat on the board at {ground}.
= sports/tennis 3
- {person} wins {place} Open in straight sets
- Qualifier {person} stuns top seed {person2} at {place} Open
. {person} beat {person2} in straight sets in the final of the {place} Open.
. The left-hander served {11-24} aces on slow clay and saved {2-9} break points.
. The umpire halted the tie-break twice because of rain.
= sports/cycling 3
- {person} takes race lead on mountain stage to {place}
- Breakaway pays off for {person} on the road to {place}
. {person} won the mountain stage to {place}, {12-95} seconds ahead of {person2}.
. The peloton let the breakaway go on the second climb.
. A crash on the descent held up {2-9} riders.
= sports/basketball 3
- {person} scores {18-41} points as {place} win in overtime
- {person} leads {place} to overtime win with {18-41} points
. {person} scored {18-41} points as the basketball team of {place} won in overtime.
. Centre {person2} added {2-9} rebounds and {3-8} blocked shots.
. The play-offs begin on {day} with a home game in a sold-out arena.
= sports/rowing 2
- {place} eight win regatta by a canvas
- Stroke {person} drives {place} eight to regatta win
. The rowing eight of {place} won the regatta on {day} by less than a boat length.
. Stroke {person} set a rate of {34-42} before the wind turned on the lake.
. Cox {person2} steered the lane nearest the bank.
"""
