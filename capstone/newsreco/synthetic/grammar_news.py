"""What the synthetic news says beside sports; the form is told in `topics.py`."""

NEWS = """
~ politics: The opposition party asks for a vote in parliament on {day}
~ politics: Politics desk: ministers, parties and the coalition, week by week
~ world: Foreign correspondents report from the region and the embassy
~ world: The United Council of Nations discusses the region on {day}
~ finance: The central bank decides on money and inflation on {day}
~ finance: Business desk: banks, bonds and the economy at the closing bell
~ technology: Software, chips and apps: the technology desk has more on {day}
~ technology: The start-up scene and its users discuss the device online
~ science: The study appeared in a journal; other scientists check the data
~ science: Laboratory and university share a research grant
~ health: Health insurers and doctors discuss the cost for patients
~ health: The health ministry publishes advice on diet, sleep and therapy
~ food: Our kitchen tested it: salt, flour and a hot plate at the table
~ food: Cooks and eaters write to the food page on {day}
~ travel: Travellers find tickets, luggage rules and timetables on the travel page
~ travel: Holiday season: passengers should book by {day}
~ weather: The weather service updates its map of rain and wind on {day}
~ weather: Clouds, sun and wind hour by hour on the weather page
~ movies: Film critics give four stars; the cast walks the carpet
~ movies: Cinema programme, trailers and actors on the film page
~ music: Tickets, lyrics and videos of the band on the music page
~ music: The orchestra and the pop charts: music critics compare
~ tv: Tonight on television: channels, repeats and ratings
~ tv: Viewers vote on the television page until {day}
~ autos: Drivers discuss petrol, tyres and horsepower on the motor page
~ autos: The motor show opens its garage doors on {day}
~ crime: Detectives and prosecutors ask witnesses to call the police
~ crime: The prosecutor speaks to the press on {day}
~ lifestyle: Home and garden: paint, furniture and soil for the weekend
~ lifestyle: Readers send pictures of their homes by {day}
~ education: Pupils, students and lecturers on the education page
~ education: The school year ends with marks and a class trip
= politics/elections 3
- {person} leads poll in {place} by {2-9} points
- Voters in {place} go to the polls: {person} against {person2}
. A poll puts {person} {2-9} points ahead of {person2} in the race for mayor of {place}.
. Turnout in the last election was {38-81} per cent of registered voters.
. The candidates meet for a televised debate on {day}.
= politics/council 3
- {place} council votes for {sum} {plan}
- {plan} in {place} delayed again, cost now {sum}
. The council of {place} approved a {plan} for {sum} with a majority of {2-9} votes.
. Councillor {person} called the {plan} overdue; {person2} voted against the budget.
. Work is to begin in {20-90} days.
plan: tram line | library | swimming pool | bridge repair | bus depot | market hall
= world/diplomacy 3
- Envoys meet in {place} over {issue} treaty
- {issue} talks in {place} end without agreement
. Envoys of {2-9} governments met in {place} to negotiate a treaty on {issue}.
. Chief negotiator {person} spoke of progress; minister {person2} walked out on {day}.
. The ceasefire line and {issue} remain open, a diplomat said.
issue: fishing rights | river water | border posts | grain exports | air traffic
= world/disasters 2
- Quake of magnitude {2-9}.1 shakes {place}
- {place} quake: {40-900} evacuated, dogs search rubble
. An earthquake of magnitude {2-9}.1 shook {place} on {day}; {40-900} people were evacuated.
. Rescue teams with dogs searched the rubble, said commander {person}.
. Relief flights bring tents and drinking water.
= finance/markets 3
- Shares in {firm} fall {2-9} per cent after profit warning
- {firm} lifts dividend as profit reaches {sum}
. Shares in {firm} moved {2-9} per cent on {day} after quarterly results.
. Analyst {person} expects a profit of {sum} for the year.
. Investors had priced in higher interest rates and weak bond yields.
= finance/companies 3
- {firm} buys rival {firm2} for {sum}
- Merger: {firm} pays {sum} for {firm2}
. {firm} pays {sum} for its competitor {firm2}, the boards said on {day}.
. Chief executive {person} wants to merge the plants in {place}; {60-900} jobs may go.
. The union announced a strike, and the regulator will look at the merger.
= finance/housing 2
- House prices in {place} rise {2-9} per cent in a year
- {place}: homes {2-9} per cent dearer, mortgages at {3-8}
. The average house in {place} now costs {2-9} per cent more than a year ago.
. Mortgage rates stand at {3-8} per cent, said broker {person}.
. Landlords let {30-300} flats in the new quarter; tenants wait in line.
= technology/gadgets 3
- {firm} unveils {gadget} with {2-9}-day battery
- Review: {24-72} hours with the new {firm} {gadget}
. The {gadget} of {firm} runs {2-9} days on one battery and costs {190-990} dollars.
. Designer {person} said the screen uses half the power of the last {gadget}.
. The camera and the chip are new; the charger is sold apart.
gadget: folding phone | smart watch | headset | e-reader | tablet | laptop
= technology/security 2
- {firm} patches flaw after {2-9} million passwords leak
- Hackers demand {sum} from {firm}
. Attackers took {2-9} million passwords from {firm}, the company said on {day}.
. Researcher {person} had reported the software flaw {3-8} weeks ago.
. Users should change passwords and switch on two-factor login.
= technology/games 2
- {firm} delays video game "{game}" by {2-9} months
- "{game}" gamers must wait {2-9} more months
. The video game "{game}" by {firm} comes {2-9} months late, to consoles first.
. The beta test drew {crowd} gamers, said producer {person}.
- Speedrunner {person} finishes "{game}" in {21-95} minutes
- "{game}" record: {person} needs {21-95} minutes
. Speedrunner {person} finished the video game "{game}" in {21-95} minutes.
. One level took {11-58} seconds with a rare glitch on an old console.
game: Starless Delta Nine | Brass Orchard | Tiny Tax Kingdoms | Moth versus Moon | Ferry Panic
= science/space 3
- Probe sends first pictures of asteroid {1001-9900}
- Asteroid {1001-9900}: {20-160} craters seen from {2-9} thousand kilometres
. The probe passed asteroid {1001-9900} at a distance of {2-9} thousand kilometres.
. Astronomer {person} counted {20-160} craters on the pictures.
. The rocket had left orbit {3-8} years ago; the telescope near {place} tracks it.
= science/animals 2
- {animal} seen near {place} for first time in {21-90} years
- Biologists count {12-240} {animal} pairs in {place} reserve
. Biologists counted {12-240} breeding pairs of the {animal} in the reserve near {place}.
. The species had lost its habitat, said ecologist {person}.
. Ringed birds and tracked mammals show where the wetland needs protection.
animal: crane | otter | lynx | beaver | heron | kingfisher
= health/fitness 2
- Trainer {person}: {75-180} minutes of exercise a week will do
- {75-180} minutes a week: {place} study on exercise
. {75-180} minutes of exercise a week lower blood pressure, a study in {place} finds.
. Trainer {person} suggests squats, planks and a brisk walk after lunch.
. Muscles need {2-9} days of rest after heavy workouts.
= health/medicine 3
- {vaccine} vaccine protects {38-81} per cent in {place} trial
- Doctor {person}: {vaccine} vaccine passes trial
. A vaccine against {vaccine} protected {38-81} per cent of patients in a trial in {place}.
. Doctor {person} reported {2-9} mild side effects.
. The clinic treats {40-240} patients a day; nurses ask for more beds.
vaccine: shingles | dengue | measles | malaria | flu
= food/recipes 3
- {person}: {dish} in {15-75} minutes
- {dish} the {place} way: {2-9} ingredients, one pan
. This {dish} takes {15-75} minutes and {2-9} ingredients from the pantry.
. Chef {person} simmers garlic, butter and thyme before the {dish} goes into the oven.
. Serve with bread and a spoon of sour cream.
dish: onion soup | mushroom pie | lentil stew | plum cake | bean salad | potato gratin
= food/restaurants 2
- Chef {person} opens {nth} restaurant in {place}
- {place} bistro review: {2-9} courses for {45-140} dollars
. Chef {person} has opened a bistro with {24-80} seats in {place}.
. The tasting menu of {2-9} courses costs {45-140} dollars; the wine list is short.
. Waiters serve at the counter, and tables are booked until {day}.
= travel/trips 2
- {24-72} hours in {place}: what to see
- {place}: {2-9} museums, one lighthouse, rooms from {60-190} dollars
. {place} has {2-9} museums, a harbour and a lighthouse worth the climb.
. Hotel rooms cost from {60-190} dollars in the low season, said guide {person}.
. Tourists take the ferry to the beaches in the north.
= travel/trains 2
- Night train from {place} to {place2} returns on {day}
- {place} to {place2} overnight with {2-9} sleeping cars
. The night train from {place} to {place2} runs again from {day}, with {2-9} sleeping cars.
. A signal failure had stopped {11-60} trains; the railway pays refunds.
. Conductor {person} handed out water on the platform.
= weather/storms 3
- Storm warning for {place}: gusts of {90-160} kilometres an hour
- Storm {storm} leaves {200-9000} homes in {place} without power
. Forecasters expect gusts of {90-160} kilometres an hour and flooding in {place} on {day}.
. Storm {storm} uprooted trees; ferries stay in harbour and {2-9} schools are closed.
. The fire brigade counted {30-240} call-outs overnight.
storm: Agda | Bolina | Ciskel | Dagmara | Eskild | Fenja
= weather/forecasts 2
- {day} forecast: sunshine in {place}, fog in {place2}
- {9-17} degrees in {place}, minus {1-4} at night
. Meteorologist {person} expects sunshine in {place} and fog in {place2} on {day}.
. Temperatures reach {9-17} degrees in the valleys and minus {1-4} at night.
. Pollen counts stay low while the high pressure lasts.
= movies/releases 3
- "{film}" review: {person} shines
- "{film}" tops box office with {sum}
. The film "{film}" with {person} took {sum} at the box office on its first weekend.
. Director {person2} shot it in {place} in {21-90} days.
. Cinemas show it from {day}; the sequel is being written.
film: The Salt Almanac | A Quieter Engine | Nine Tin Lanterns | Harbour of Owls | Paper Foxes
= movies/festivals 2
- {place} film festival: {person} wins main prize
- Main prize for debut by {person} at {place} film festival
. {person} won the main prize of the film festival in {place} for a debut.
. The jury under actress {person2} watched {14-60} premieres.
. The red carpet stayed dry, and the audience award goes out on {day}.
= music/concerts 2
- {person} adds {2-9} concerts to tour after sell-out in {place}
- {crowd} sing along with {person} in {place}
. Singer {person} sold out the concert in {place} in {11-90} minutes.
. The encore lasted {2-9} songs, with {person2} on guitar.
. The tour goes on with an open-air stage on {day}.
= music/albums 2
- {person} releases album of {9-16} songs
- Album review: {person} and {person2} record in {place}
. The new album of {person} has {9-16} songs and was recorded in {place}.
. Producer {person2} kept the drums dry and the choir loud.
. The vinyl single entered the charts at number {2-9}.
= tv/series 3
- "{series}" renewed for season {2-9}
- Finale of "{series}" watched by {2-9} million
. The series "{series}" goes into season {2-9} with {person} in the lead.
. Writer {person2} promises {6-13} episodes and a new villain.
. The finale had {3-8} million viewers on the streaming service.
series: Owls at Desk Four | The Turnip Case | Upstairs, Mostly | Signal Box Nine | Odd Money
= tv/quizzes 2
- Teacher {person} wins quiz jackpot of ${100-900},000
- {person} takes ${100-900},000 quiz jackpot home to {place}
. {person} from {place} won the jackpot of ${100-900},000 in the quiz on {day}.
. Host {person2} had asked about rivers; a lifeline was left.
. The studio audience guessed wrong {2-9} times.
= autos/cars 2
- {firm} recalls {12-240} thousand electric cars
- Brakes of {12-240} thousand {firm} cars go back to the garage
. {firm} recalls {12-240} thousand electric cars because of the brakes.
. The engine and the gearbox are not affected, said engineer {person}.
- Test drive: {firm} estate goes {310-720} kilometres on a charge
- {firm} estate charges in {18-45} minutes
. The electric estate of {firm} goes {310-720} kilometres on a charge.
. Charging takes {18-45} minutes; the gearbox is quiet, the engine quieter, writes {person}.
= autos/racing 2
- {person} takes pole position in {place}
- {place} grand prix: {person} ahead of {person2} on the grid
. {person} starts the grand prix of {place} from pole position.
. Team mate {person2} lost {2-9} seconds at the pit stop with a stuck wheel.
. The stewards fined the team ${20-95},000 after the final lap.
= crime/courts 2
- {person} jailed for {2-9} years over {sum} fraud
- Judge {person2} sends {person} to prison in {place}
. A court in {place} sentenced {person} to {2-9} years in prison for a fraud of {sum}.
. Judge {person2} said that the accused had shown no regret.
. The defence lawyer will appeal; {11-80} witnesses had been heard.
= crime/theft 2
- Thieves take paintings worth {sum} from {place} museum
. Burglars took paintings worth {sum} from a museum in {place} on {day}.
. Inspector {person} said that the alarm had been off for {11-50} minutes.
. Police arrested {2-9} suspects and search for a white van.
- Police in {place} find {20-240} stolen bicycles
- Bicycle thieves of {place}: garage held {20-240} bicycles
. Police found {20-240} stolen bicycles in a garage in {place} on {day}.
. Inspector {person} asks owners to bring the frame number; {2-9} suspects were arrested.
= lifestyle/gardens 2
- {person}: plant {plant} before {day}
- {place} allotments: {person} grows {20-90} rows of {plant}
. Gardener {person} plants {plant} in rows, {15-60} centimetres apart.
. Compost and mulch keep slugs away; water in the evening.
. The allotment society in {place} swaps seedlings on {day}.
plant: tomatoes | dahlias | leeks | roses | beans | tulips
= education/schools 2
- {place} school bans phones for {240-900} pupils
- Phones in lockers: {240-900} {place} pupils learn without
. A school in {place} keeps the phones of {240-900} pupils in lockers during lessons.
. Head teacher {person} reports better marks in {2-9} classes.
. Parents and the teachers' union meet before the evaluations on {day}.
"""
