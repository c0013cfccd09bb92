"""Words from which `memory_jobs.values` makes names and values. Plain data: nothing here is a real person."""

from __future__ import annotations


def _words(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text.split()))


def _phrases(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(phrase.strip() for phrase in " ".join(text.split()).split(",") if phrase.strip()))


FIRST_NAMES = _words("""
Mira Tom Ana Lukas Sofia Omar Priya Chen Yuki Fatima Diego Ingrid Kwame Leila Mateo Nadia Oscar Paula Quentin Rosa
Samir Tanya Umar Vera Wei Ximena Yusuf Zara Aaron Abigail Adele Aditya Agnes Ahmed Aiko Akira Alba Alejandro Alice
Alina Alma Amara Amelia Amir Amos Anders Andrea Angus Anika Anton Anya Aoife Arjun Arlo Arthur Asha Astrid Axel
Ayana Ayesha Aziz Beatriz Ben Benedikt Bianca Bilal Bjorn Boris Bram Brenda Brigid Bruno Callum Camila Carlos Carmen
Cecilia Celia Chiara Chidi Chloe Clara Claude Connor Cora Cyril Dagny Dalia Damian Daniel Daphne Darius David Deepa
Delia Denise Derek Dina Dmitri Dora Duncan Ebony Edith Edgar Efua Eero Eileen Elena Elias Elif Elio Ella Elsa Emeka
Emil Emma Enrique Erik Esme Esther Ethan Eva Ezra Fabian Farah Felix Femi Fergus Fiona Flora Florian Frances Frank
Freya Gabriel Gemma George Gita Giulia Gloria Goran Grace Greta Gunnar Gwen Hamid Hana Hannah Harald Harriet Hassan
Hector Heidi Helga Henrik Hiro Hugo Ibrahim Ida Ilse Imani Imran Ines Ioana Irene Iris Isaac Isla Ivan Ivy Jaime
Jamal Jana Jasper Javier Jelena Jin Joana Joel Johanna Jonas Jorge Judith Julian Juno Kai Kamal Karim Karin Katya
Keiko Kenji Kira Klaus Kofi Lara Lars Laszlo Laura Leandro Leo Lena Liam Lina Linus Livia Lola Lorenzo Louis Lucia
Luis Lydia Maeve Magnus Maja Malik Marco Margot Maria Marius Marta Matilda Maya Mehmet Mei Milan Milo Mina Mohan
Mona Morgan Musa Naomi Nathan Neha Nico Nils Nina Nora Nuria Odile Olga Oliver Olu Onur Orla Otto Pablo Pavel Pedro
Penelope Petra Philip Pia Piotr Rafael Rahul Raisa Ramon Rania Ravi Rebecca Renata Reza Rhea Rita Robin Rohan Roman
Ruben Ruth Saanvi Sabine Salma Sami Sana Sandro Santiago Sara Selma Sergei Shira Silas Simone Sina Stefan Stella
Sunita Sven Taro Tariq Tess Thandi Theo Tilda Timo Tobias Tove Uma Ursula Valentina Vikram Viola Viktor Wanda Willem
Xavier Yael Yara Yannick Yoko Zainab Zeno Zoe Zofia
""")

LAST_NAMES = _words("""
Becker Ramos Okafor Lindqvist Tanaka Haddad Novak Silva Moreau Kowalski Iyer Zhang Park Nguyen Rossi Petrov
Johansson Mensah Castillo Weber Abbott Abe Acosta Adeyemi Aguilar Ahmadi Albrecht Allen Almeida Andersen Antonov
Aoki Arnold Arslan Ashby Aydin Bachmann Baker Banerjee Barbosa Barnes Bartos Bauer Bell Benali Bennett Berg Bergman
Bianchi Bishop Blake Blanc Bondar Borg Bosch Bowen Brandt Brennan Brook Bruno Burke Byrne Cabrera Calder Campos
Cardoso Carr Carter Chandra Chavez Cho Clarke Cohen Cole Conti Cooper Correia Costa Crane Cruz Dahl Dalton Danso Das
Davies Dekker Delgado Demir Desai Diaz Dixon Dogan Doyle Drake Dubois Duarte Duffy Dumont Dvorak Eaton Ebert Edwards
Egan Eklund Ellis Engel Eriksen Espinoza Esposito Evans Faber Farouk Farrell Fernandes Ferrari Fischer Fleming
Flores Forsberg Foster Fournier Franke Friis Fuchs Fujita Gallo Garcia Garner Gentile Gibson Gomes Gordon Goto Graf
Grant Greco Griffin Gruber Gupta Gutierrez Haas Hagen Hale Hamdi Hansen Harper Hartmann Hassan Hayashi Hayes Heller
Hendricks Herrera Hill Hirsch Hoang Hoffmann Holm Horvat Howell Huang Hughes Hussain Ibarra Ito Ivanov Jansen
Jansson Jensen Jimenez Joshi Jung Kamara Kapoor Karlsson Kato Kaur Keller Kelly Khalil Khan Kim Klein Koch Kovacs
Kramer Krishnan Kruger Kumar Kurz Lacroix Lam Lambert Larsen Laurent Leclerc Lee Leone Levy Li Lima Lopez Lorenz
Lund Lynch Macedo Maier Malik Mancini Marchetti Marin Marsh Martins Mason Matsuda Mazur Mbeki Medina Mehta Meier
Mendes Meyer Miller Mishra Mohamed Molina Monti Mori Morris Muller Murphy Nair Nakamura Navarro Nelson Neumann
Nilsson Njoroge Nordin Nunes Nyberg Obi Ochoa Odell Olsen Onyango Ortega Osei Ostrom Otieno Owens Page Palmer Pappas
Patel Pavlov Pereira Perez Peters Pham Pinto Popescu Porter Prasad Quinn Rahman Rao Reed Reyes Ricci Richter Rivera
Robles Romano Roth Russo Ryan Saito Salazar Sandberg Santos Sato Schmidt Schneider Sharma Shaw Singh Sokolov Soto
Stone Sundaram Suzuki Svensson Swift Tan Torres Toth Tran Turner Ueda Ulrich Vargas Vega Virtanen Vogel Volkov
Wagner Walker Walsh Wang Ward Watanabe West Wolf Wong Wright Yamada Yilmaz Young Zapata Ziegler Zimmer
""")

CITIES = _phrases("""
Porto, Lisbon, Oslo, Bergen, Accra, Lagos, Nairobi, Kyoto, Osaka, Tokyo, Seoul, Busan, Hanoi, Da Nang, Jakarta,
Bandung, Manila, Cebu, Perth, Hobart, Adelaide, Brisbane, Sydney, Auckland, Wellington, Dunedin, Vancouver, Calgary,
Toronto, Ottawa, Montreal, Halifax, Boston, Portland, Seattle, Denver, Austin, Dallas, Houston, Chicago, Detroit,
Cleveland, Pittsburgh, Baltimore, Atlanta, Miami, Tampa, Phoenix, Tucson, Albuquerque, Oakland, San Diego,
Sacramento, Omaha, Tulsa, Memphis, Nashville, Richmond, Buffalo, Rochester, Quito, Lima, Cusco, Bogota, Medellin,
Cali, Caracas, La Paz, Santiago, Valparaiso, Rosario, Cordoba, Mendoza, Montevideo, Recife, Salvador, Curitiba,
Havana, Oaxaca, Puebla, Merida, Guadalajara, Monterrey, Leipzig, Dresden, Hamburg, Bremen, Cologne, Bonn, Berlin,
Munich, Stuttgart, Freiburg, Graz, Vienna, Salzburg, Linz, Zurich, Basel, Bern, Geneva, Lausanne, Lyon, Lille,
Nantes, Bordeaux, Toulouse, Marseille, Nice, Paris, Rennes, Ghent, Antwerp, Bruges, Brussels, Utrecht, Rotterdam,
Leiden, Delft, Groningen, Turin, Milan, Verona, Bologna, Florence, Naples, Palermo, Bari, Genoa, Trieste, Ljubljana,
Zagreb, Split, Sarajevo, Belgrade, Novi Sad, Skopje, Sofia, Plovdiv, Bucharest, Cluj, Iasi, Budapest, Szeged,
Bratislava, Prague, Brno, Krakow, Warsaw, Gdansk, Lodz, Poznan, Vilnius, Kaunas, Riga, Tallinn, Tartu, Helsinki,
Turku, Tampere, Oulu, Stockholm, Uppsala, Malmo, Gothenburg, Copenhagen, Aarhus, Odense, Reykjavik, Dublin, Cork,
Galway, Belfast, Glasgow, Edinburgh, Dundee, Leeds, York, Sheffield, Bristol, Bath, Cardiff, Swansea, Exeter,
Norwich, Madrid, Seville, Granada, Malaga, Valencia, Bilbao, Zaragoza, Coimbra, Braga, Faro, Tangier, Rabat,
Casablanca, Tunis, Cairo, Alexandria, Addis Ababa, Kampala, Kigali, Dakar, Abidjan, Lusaka, Harare, Durban, Cape
Town, Windhoek, Amman, Beirut, Haifa, Izmir, Ankara, Istanbul, Tbilisi, Yerevan, Baku, Almaty, Tashkent, Lahore,
Karachi, Delhi, Pune, Mumbai, Chennai, Kochi, Mysore, Kolkata, Dhaka, Colombo, Kathmandu, Bangkok, Chiang Mai,
Penang, Taipei, Kaohsiung, Shanghai, Chengdu, Xiamen, Sapporo, Fukuoka, Nagoya
""")

COUNTRIES = _phrases("""
Portugal, Norway, Ghana, Nigeria, Kenya, Japan, South Korea, Vietnam, Indonesia, Australia, New Zealand, Canada,
Mexico, Peru, Chile, Argentina, Brazil, Uruguay, Colombia, Ecuador, Bolivia, Cuba, Jamaica, Germany, Austria,
Switzerland, France, Belgium, Italy, Slovenia, Croatia, Serbia, Bulgaria, Romania, Hungary, Slovakia, Poland,
Lithuania, Latvia, Estonia, Finland, Sweden, Denmark, Iceland, Ireland, Scotland, Wales, Spain, Morocco, Tunisia,
Egypt, Ethiopia, Uganda, Rwanda, Senegal, Zambia, Namibia, Botswana, South Africa, Jordan, Lebanon, Turkey, Georgia,
Armenia, Kazakhstan, Pakistan, India, Nepal, Bangladesh, Sri Lanka, Thailand, Malaysia, Singapore, Taiwan, China,
Mongolia, Cyprus, Malta, Greece, Albania, Panama, Costa Rica, Guatemala, Paraguay, Madagascar, Mauritius, Oman,
Cambodia, Laos, Fiji
""")

JOBS = _phrases("""
nurse, carpenter, pilot, baker, teacher, plumber, lawyer, architect, translator, electrician, librarian, vet,
dentist, journalist, chef, barista, accountant, florist, mechanic, welder, paramedic, pharmacist, photographer,
tailor, surveyor, geologist, biologist, chemist, physicist, statistician, data analyst, data engineer, product
designer, product manager, software developer, backend engineer, security analyst, technical writer, tax adviser,
tour guide, bus driver, train driver, firefighter, postal worker, gardener, beekeeper, farmer, forester, fisherman,
sailor, curator, sculptor, illustrator, animator, film editor, sound engineer, violin maker, piano teacher, swimming
coach, physiotherapist, optician, midwife, psychologist, social worker, judge, notary, estate agent, insurance
broker, auditor, actuary, roofer, glazier, locksmith, watchmaker, jeweller, butcher, cheesemonger, brewer, waiter,
hotel manager, flight attendant, air traffic controller, crane operator, civil engineer, marine biologist,
meteorologist, astronomer, archaeologist, historian, lecturer, editor, proofreader, radio host, stage manager,
costume designer, hairdresser, undertaker
""")

ROLES = _phrases("""
team lead, tech lead, project manager, scrum master, product owner, release manager, on-call engineer, treasurer,
chairperson, secretary, head of sales, head of design, chief of staff, office manager, finance lead, design lead, QA
lead, data steward, incident commander, account manager, interim director, deputy head, vice president, intern,
mentor, reviewer, maintainer, facilitator, minute taker, head of support, regional manager, community manager,
security officer, fire warden, union rep, board member, principal engineer, staff engineer, working student,
coordinator
""")

ANIMALS = _phrases("""
cat, dog, rabbit, hamster, parrot, canary, goldfish, tortoise, gecko, guinea pig, ferret, pony, donkey, goat,
beagle, poodle, dachshund, collie, terrier, greyhound, spaniel, labrador, husky, corgi, siamese cat, persian cat,
tabby cat, maine coon, cockatiel, budgie, hedgehog, chinchilla, iguana, corn snake, tree frog, axolotl, llama,
alpaca, duck, goose, hen, sheep, pig, mouse, rat, gerbil, chameleon, lovebird, shetland pony, border collie
""")

PET_NAMES = _words("""
Biscuit Pepper Waffles Luna Mochi Ziggy Nimbus Pickle Rufus Bella Cookie Domino Ember Fidget Ginger Hazel Jasper
Kiwi Lucky Maple Noodle Olive Patch Quill Rusty Scout Toffee Umber Velvet Whiskers Yoyo Zorro Basil Clover Dusty
Echo Figaro Gizmo Honey Indigo Juniper Karma Lupin Muffin Nutmeg Oreo Pippin Rolo Sable Tango Truffle Tiger Willow
Bandit Boots Caramel Duchess Fern Goblin Hopper Inky Jinx Kipper Marble Nacho Otter Peaches Pudding Raisin Shadow
Snowy Socks Spud Sushi Tofu Turnip Twix Wombat Bramble Captain Mango Mittens Monty Moose
""")

FOODS = _phrases("""
lasagne, ramen, tacos, falafel, sushi, paella, pierogi, goulash, risotto, pad thai, dumplings, lentil soup, fish
pie, mushroom soup, couscous, roast chicken, potato salad, aubergine curry, goat cheese, sourdough bread, rye bread,
olives, dark chocolate, apple pie, cheesecake, pancakes, waffles, porridge, scrambled eggs, grilled trout, baked
beans, gnocchi, ravioli, moussaka, borscht, kimchi, bibimbap, pho, laksa, satay, ceviche, empanadas, tamales, jollof
rice, injera, tagine, shakshuka, hummus, tabbouleh, baklava, halva, tiramisu, rice pudding, mango sorbet, pistachio
ice cream, figs, dates, blueberries, pears, cherries, dried apricots, walnuts, roasted almonds, salted popcorn,
pretzels, cinnamon buns, blue cheese, pickled herring, smoked salmon, crab cakes, onion soup, stuffed peppers, okra
stew, pumpkin soup, spinach pie, banana bread, carrot cake, lemon tart, oatcakes, leek quiche, veggie burgers, fried
plantain
""")

FOOD_STYLES = _phrases("""
spicy, homemade, vegan, cold, smoked, sweet, crispy, gluten-free, extra hot, low-salt, leftover
""")

DRINKS = _phrases("""
green tea, black coffee, espresso, flat white, oat latte, cappuccino, earl grey, mint tea, rooibos, chai, hot
chocolate, apple juice, orange juice, tomato juice, ginger beer, lemonade, sparkling water, tonic water, kombucha,
iced tea, matcha, mate, elderflower cordial, ginger ale, cider, pale ale, stout, wheat beer, red wine, white wine,
prosecco, sherry, port, rum punch, gin and tonic, whisky sour, mango lassi, coconut water, almond milk, carrot
juice, cold brew, decaf coffee, chamomile tea, oolong tea, jasmine tea, cherry cola, root beer, buttermilk,
horchata, kefir
""")

COLOURS = _phrases("""
red, blue, green, yellow, orange, purple, teal, turquoise, crimson, navy blue, olive green, mustard yellow,
burgundy, lavender, beige, charcoal grey, silver, gold, bronze, ivory, black, white, grey, brown, pink, magenta,
cyan, indigo, violet, maroon, coral, salmon pink, mint green, sky blue, forest green, lime green, rust, amber,
scarlet, cobalt blue, lilac, peach, ochre, emerald green, midnight blue
""")

SPORTS = _phrases("""
tennis, badminton, squash, table tennis, basketball, volleyball, handball, football, rugby, cricket, baseball,
softball, hockey, ice hockey, lacrosse, water polo, swimming, diving, rowing, kayaking, sailing, surfing,
windsurfing, climbing, bouldering, hiking, running, orienteering, cycling, mountain biking, skiing, snowboarding,
cross-country skiing, skating, figure skating, curling, fencing, judo, karate, taekwondo, boxing, wrestling,
archery, golf, darts, bowling, yoga, pilates, gymnastics, weightlifting, triathlon, horse riding, netball,
floorball, padel, frisbee, parkour
""")

HOBBIES = _phrases("""
pottery, knitting, crochet, birdwatching, chess, gardening, woodworking, origami, calligraphy, photography,
stargazing, model trains, stamp collecting, baking bread, brewing beer, beekeeping, painting, watercolours,
sketching, embroidery, quilting, sewing, board games, crossword puzzles, sudoku, geocaching, mushroom picking,
foraging, fly fishing, fishing, salsa dancing, tango, choir singing, stand-up comedy, improv theatre, creative
writing, journaling, blogging, podcasting, restoring old radios, collecting vinyl, coin collecting, soap making,
candle making, leatherwork, bookbinding, metal detecting, kite flying, juggling, magic tricks, amateur radio, 3D
printing, robotics, genealogy, bonsai, aquariums
""")

INSTRUMENTS = _phrases("""
piano, violin, viola, cello, double bass, guitar, bass guitar, ukulele, banjo, mandolin, harp, flute, piccolo,
clarinet, oboe, bassoon, saxophone, trumpet, trombone, french horn, tuba, drums, marimba, xylophone, accordion,
harmonica, organ, sitar, tabla, oud, kora, recorder, bagpipes, didgeridoo, theremin, synthesizer, euphonium, lute,
zither, djembe
""")

LANGUAGES = _phrases("""
Portuguese, Norwegian, Twi, Yoruba, Swahili, Japanese, Korean, Vietnamese, Indonesian, Tagalog, Maori, French,
Spanish, Quechua, German, Italian, Slovene, Croatian, Serbian, Bulgarian, Romanian, Hungarian, Slovak, Czech,
Polish, Lithuanian, Latvian, Estonian, Finnish, Swedish, Danish, Icelandic, Irish, Welsh, Gaelic, Basque, Catalan,
Galician, Arabic, Amharic, Turkish, Georgian, Armenian, Kazakh, Urdu, Hindi, Punjabi, Tamil, Malayalam, Bengali,
Nepali, Thai, Malay, Mandarin, Cantonese, Mongolian, Hebrew, Persian, Greek, Albanian, Maltese, Zulu, Xhosa, Hausa,
Igbo, Somali, Dutch, Frisian, Ukrainian, Esperanto, Latin
""")

PROGRAMMING_LANGUAGES = _phrases("""
Python, Rust, Go, Java, Kotlin, Swift, TypeScript, JavaScript, C, C++, C#, Ruby, PHP, Perl, Lua, Scala, Clojure,
Haskell, OCaml, F#, Elixir, Erlang, Julia, R, MATLAB, Fortran, COBOL, Ada, Zig, Nim, Dart, Groovy, Bash, PowerShell,
Prolog, Scheme, Racket, Crystal, Elm, SQL
""")

OPERATING_SYSTEMS = _phrases("""
Ubuntu, Debian, Fedora, Arch Linux, Alpine Linux, Rocky Linux, AlmaLinux, openSUSE, FreeBSD, OpenBSD, NetBSD, macOS,
Windows, Windows Server, NixOS, Gentoo, Linux Mint, Red Hat, CentOS, Android, ChromeOS, Void Linux, Slackware,
Solaris
""")

SOFTWARE = _phrases("""
Grafana, Jenkins, Blender, Inkscape, Obsidian, Jira, Confluence, Slack, Zoom, Figma, Sketch, Notion, Trello, Asana,
Excel, Photoshop, Lightroom, Audacity, GIMP, LibreOffice, Emacs, Vim, PyCharm, Postman, Wireshark, Terraform,
Ansible, Docker, Podman, Kubernetes, Prometheus, Sentry, Nginx, Apache, Caddy, HAProxy, RabbitMQ, Kafka, Airflow,
Spark, Tableau, Metabase, Zotero, Anki, Thunderbird, Mattermost, Zulip, GitLab, Gitea, Vault, Consul
""")

DATABASES = _phrases("""
PostgreSQL, MySQL, MariaDB, SQLite, Oracle, MongoDB, Redis, Cassandra, CockroachDB, DynamoDB, Elasticsearch, Neo4j,
InfluxDB, ClickHouse, DuckDB, Snowflake, BigQuery, Redshift, TimescaleDB, ScyllaDB, CouchDB, Firebird, Memcached,
Qdrant, Milvus, Weaviate, OpenSearch, RocksDB, Db2, Vitess
""")

CLOUDS = _phrases("""
AWS, Azure, Google Cloud, Hetzner, DigitalOcean, Linode, OVH, Scaleway, Oracle Cloud, IBM Cloud, Vultr, Fly.io,
Heroku, Render, Exoscale, Cloudflare, Alibaba Cloud, UpCloud, Rackspace, our own data centre
""")

STUDIES = _phrases("""
biology, law, history, physics, chemistry, mathematics, statistics, economics, philosophy, linguistics, medicine,
nursing, dentistry, pharmacy, architecture, civil engineering, mechanical engineering, computer science, data
science, geography, geology, astronomy, archaeology, anthropology, sociology, psychology, political science,
journalism, film studies, art history, music theory, theology, education, accounting, marketing, graphic design,
fashion design, forestry, agriculture, marine biology, oceanography, meteorology, neuroscience, genetics,
bioinformatics, robotics, materials science, veterinary medicine, translation studies, urban planning
""")

MEDICINES = _phrases("""
ibuprofen, paracetamol, aspirin, amoxicillin, metformin, insulin, lisinopril, amlodipine, atorvastatin, omeprazole,
levothyroxine, cetirizine, loratadine, salbutamol, prednisone, warfarin, naproxen, doxycycline, tramadol, diazepam,
fluoxetine, ventolin drops, zinc tablets, nasal spray, gabapentin, hydrocortisone cream, penicillin, sertraline,
melatonin, vitamin D, iron tablets, eye drops, cough syrup, folic acid, magnesium, antihistamines, ramipril, codeine
""")

ALLERGENS = _phrases("""
peanuts, shellfish, gluten, lactose, eggs, soy, walnuts, cashews, sesame, strawberries, kiwi, pollen, dust mites,
cat hair, dog hair, bee stings, wasp stings, latex, penicillin, aspirin, nickel, mould, birch pollen, ragweed,
mustard, celery, lupin, crab, mussels, hazelnuts, almonds, pineapple, tomatoes, perfume, wool, grass pollen, horses,
feathers
""")

ILLNESSES = _phrases("""
asthma, migraine, hay fever, diabetes, eczema, a cold, the flu, bronchitis, pneumonia, tonsillitis, a sprained
ankle, a broken wrist, back pain, arthritis, anaemia, high blood pressure, insomnia, vertigo, a stomach bug, food
poisoning, chickenpox, shingles, sinusitis, an ear infection, tendonitis, tinnitus, gout, a slipped disc, measles,
whooping cough
""")

MATERIALS = _phrases("""
oak, pine, walnut, birch, bamboo, cork, steel, stainless steel, aluminium, copper, brass, bronze, cast iron,
titanium, glass, ceramic, porcelain, clay, concrete, brick, granite, marble, slate, sandstone, leather, suede,
cotton, linen, wool, silk, felt, canvas, denim, nylon, polyester, rubber, carbon fibre, plywood, recycled plastic,
wax, paper, cardboard
""")

SKILLS = _phrases("""
public speaking, data modelling, welding, first aid, negotiation, project planning, copywriting, video editing, sign
language, bookkeeping, mentoring, code review, touch typing, risk analysis, budgeting, technical drawing, conflict
resolution, machine learning, web design, database tuning, network security, interviewing, fundraising, event
planning, wood carving, pattern cutting, bread making, bike repair, map reading, sailing knots, shorthand, speed
reading, soldering, 3D modelling, grant writing, storytelling, survey design, penetration testing
""")

PLANTS = _phrases("""
monstera, basil, lavender, rosemary, aloe vera, snake plant, spider plant, peace lily, fiddle-leaf fig, rubber
plant, bonsai, orchid, cactus, fern, ivy, geranium, begonia, fuchsia, hydrangea, rose bush, lemon tree, olive tree,
fig tree, apple tree, cherry tree, tomato plant, chilli plant, sunflower, dahlia, tulip, daffodil, peony, jasmine,
wisteria, magnolia, bamboo, mint, thyme, sage, string of pearls
""")

DEVICES = _phrases("""
laptop, phone, tablet, printer, router, camera, e-reader, monitor, keyboard, headset, smartwatch, thermostat,
dishwasher, washing machine, coffee machine, fridge, oven, vacuum cleaner, projector, scanner, smart speaker,
doorbell, dashcam, drone, turntable, amplifier, sewing machine, 3D printer, label printer, badge reader, heat pump,
air conditioner, kettle, hearing aid, bike computer, game console, toaster, dehumidifier, baby monitor, soldering
iron
""")

THINGS = _phrases("""
umbrella, spare key, toolbox, tent, passport, suitcase, rucksack, violin, bicycle, sofa, bookshelf, desk, lamp, rug,
winter coat, wallet, notebook, first-aid kit, ladder, drill, sleeping bag, camping stove, picnic basket, kayak,
surfboard, skateboard, chess set, telescope, record player, wedding ring, watch, necklace, teapot, wardrobe,
armchair, garden hose, lawnmower, wheelbarrow, sewing box, photo album, guitar case, bike lock, yoga mat, dinner
table, mirror, coffee grinder, flag, extension cord, fire extinguisher, cash box
""")

THING_MARKS = _phrases("""
old, new, spare, big, small, blue, green, red, grey, black, wooden, folding, borrowed, broken
""")

VEHICLE_MODELS = _phrases("""
Volvo V60, Toyota Yaris, Honda Civic, Skoda Octavia, Ford Transit, Fiat Panda, Renault Clio, Peugeot 208, Mazda 3,
Subaru Forester, Kia Niro, Hyundai Ioniq, Nissan Leaf, Opel Corsa, Seat Leon, Dacia Duster, Mini Cooper, Audi A3,
BMW i3, VW Golf, VW Polo, Citroen Berlingo, Suzuki Swift, Tesla Model 3, Jeep Renegade, Vespa, cargo bike,
campervan, pickup truck, electric scooter, folding bike, tandem, motorbike, minibus, tractor, racing bike,
hatchback, station wagon
""")

VEHICLES = _phrases("car, van, truck, motorcycle, company car, bus, camper, scooter, delivery van, bike, trailer")

AREAS = _phrases("""
payments, search, growth, mobile, platform, billing, onboarding, data, security, logistics, design, research,
support, sales, marketing, legal, finance, infrastructure, checkout, identity, compliance, analytics, recruiting,
localisation, content, fraud, shipping, warehouse, procurement, accessibility, reliability, tooling, notifications,
messaging, pricing, inventory, catalogue, partner, field, training, quality, release, network, storage, video, maps,
loyalty, returns
""")

SERVICES = _phrases("""
payment gateway, login service, search index, mail relay, image resizer, billing worker, report generator, API
gateway, session cache, audit log, message queue, recommendation engine, invoice exporter, job scheduler, backup
job, chat bot, metrics collector, geocoder, PDF renderer, webhook handler, feature-flag service, rate limiter, user
directory, notification service, order service, stock service, licence server, build pipeline, web shop, status page
""")

SERVER_USES = _phrases("""
staging, production, build, mail, backup, test, database, file, print, web, proxy, monitoring, demo, log, media,
VPN, cache, jump, lab, game
""")

DOCUMENTS = _phrases("""
onboarding guide, incident report, travel policy, quarterly report, design proposal, contract draft, lease, style
guide, user manual, press release, grant application, meeting notes, release notes, runbook, budget plan, safety
checklist, thesis, newsletter, tax return, business plan, audit report, privacy notice, project charter, risk
register, API guide, test plan, training handbook, price list, annual report, survey results, insurance policy,
building permit, white paper
""")

EVENTS = _phrases("""
spring retreat, quarterly review, board meeting, summer party, product launch, job fair, book club, hackathon, open
day, charity run, harvest festival, design workshop, all-hands, sprint review, school play, parents' evening, wine
tasting, housewarming, farewell lunch, graduation ceremony, science fair, flea market, choir concert, film night,
chess tournament, security training, fire drill, kick-off meeting, budget meeting, planning day, reunion, exhibition
opening, quiz night, street festival, yoga class, pottery workshop, annual conference, customer day, town hall,
poetry reading
""")

COURSES = _phrases("""
pottery course, first-aid course, algebra course, Spanish class, statistics seminar, writing workshop, sailing
course, photography class, machine learning course, cooking class, welding course, history seminar, yoga course,
ethics seminar, accounting course, drawing class, database course, physics lab, astronomy lecture, music theory
class, drama course, bookkeeping course, leadership training, safety training, sewing class, chemistry lab, web
design course, logic seminar
""")

SHOP_TYPES = _phrases("""
Bakery, Books, Cycles, Records, Flowers, Pharmacy, Hardware, Groceries, Butchers, Toys, Shoes, Optics, Antiques,
Outfitters, Deli, Tea House, Stationers, Garden Centre, Electronics, Market
""")

RESTAURANT_TYPES = _phrases("""
Bistro, Kitchen, Grill, Trattoria, Cafe, Diner, Noodle Bar, Tavern, Brasserie, Canteen, Steakhouse, Pizzeria,
Cantina, Tea Room, Curry House, Oyster Bar, Eatery
""")

CODE_NAMES = _words("""
Orion Halcyon Bluefin Aurora Basilisk Cobalt Drift Ember Falcon Granite Harbor Iris Jupiter Kestrel Lantern Meridian
Nimbus Obsidian Pelican Quartz Raven Saffron Tempest Umbra Vector Willow Xenon Yarrow Zephyr Anchor Beacon Cascade
Delta Eclipse Fjord Glacier Heron Ibis Juniper Krypton Lynx Magnet Nebula Osprey Phoenix Quasar Redwood Sparrow
Titan Ursa Vega Wren Yukon Zenith Acorn Badger Comet Dune Everest Foxglove Gecko Horizon Indigo Jaguar Koala Lotus
Mistral Narwhal Onyx Puffin Quill Rubicon Summit Thistle Union Voyager Whistler Atlas Bramble Cedar Dolphin Elm
Firefly Garnet Hazel Icarus Jasper Kite Lagoon Marlin North Opal Pinnacle Quiver Ridge Silver Timber Upland Velvet
Walrus
""")

COMPANY_STEMS = _words("""
North Bright Blue Green Silver Stone River Lake Hill Oak Maple Iron Copper Star Sun Moon Cloud Rain Fern Wolf Fox
Hawk Clear True Swift Quick Deep High Red Gold Sky Sea Salt Wind Snow Frost Ash Birch Bay
""")

COMPANY_TAILS = _words("""
field works gate bridge point ware path line port wood light mark stone leaf wave forge craft scope grid loop nest
wick ford well mill dale crest
""")

COMPANY_SUFFIXES = _phrases("""
Ltd, Labs, Inc, Systems, Group, Foods, Logistics, Robotics, Software, Partners, Energy, Studios, Analytics,
Consulting, Motors, Textiles, Health, Media, Bank, & Sons, Insurance, Optics, Networks, Travel, Games, Works, GmbH,
Co
""")

STREET_ENDS = _phrases("""
Street, Road, Lane, Avenue, Square, Hill, Row, Close, Court, Terrace, Way, Gardens, Quay, Crescent
""")

STREET_STEMS = _words("""
Mill Church Station Garden Elm Oak Maple Rose Castle Bridge Market Harbour River Abbey Chapel School Orchard Linden
Cedar Poplar Willow Victoria King Queen Bishop Potter Tanner Weaver Baker Cooper Fisher Miller Forest Meadow Spring
Summer Winter Canal Dock Tower Park Hazel Holly Juniper Laurel Beech Birch Chestnut Walnut Falcon Swan
""")

TITLE_ADJECTIVES = _words("""
Silent Broken Golden Hidden Last Crooked Burning Distant Winter Paper Hollow Crimson Forgotten Glass Wandering
Midnight Salt Electric Quiet Wild Second Northern Painted Sleeping Frozen Secret Lonely Velvet Rusty Endless
""")

TITLE_NOUNS = _words("""
Garden River House Orchard Letter Island Summer Compass Mirror Train Lighthouse Shore Clock Harbour Forest Bridge
Map Tower Sparrow Lantern Kingdom Road Winter Museum Engine Ocean Carnival Shadow Bell Valley Piano Door Archive
Tide Cathedral Circus Wolf Feather Key Storm
""")

GAMES = _phrases("""
chess, go, backgammon, checkers, dominoes, mahjong, poker, bridge, rummy, canasta, cribbage, hearts, bingo,
charades, Scrabble, Catan, Carcassonne, Tetris, Pong, Snake, minesweeper, solitaire, Nine Men's Morris, Ludo,
Reversi, shogi
""")

STATUSES = _phrases("""
on hold, in progress, done, blocked, cancelled, waiting for review, approved, rejected, delayed, ready for launch,
in testing, archived, on track, at risk, half finished, under review, paused, open, closed, overdue, deployed, out
for delivery, almost finished, not started, retired
""")

SIZES = _words("XS S M L XL XXL 34 36 37 38 39 40 41 42 43 44 45 46 48 50")

WEEKDAYS = _words("Monday Tuesday Wednesday Thursday Friday Saturday Sunday")

MONTHS = _words("January February March April May June July August September October November December")

FAMILY = _phrases("""
my sister, my brother, my mother, my father, my mum, my dad, my aunt, my uncle, my cousin, my grandmother, my
grandfather, my wife, my husband, my partner, my daughter, my son, my niece, my nephew, my boss, my flatmate, my
neighbour, my best friend, my colleague, my dentist, my tutor, my coach, our landlord, our plumber, our accountant,
our new hire, our office manager, our intern, my mother-in-law, my godson, my ex, our babysitter
""")

CODED_PREFIXES = _words("QX INV REF TKT BK ORD PNR HX LM AB ZK CR MTG PO RMA SN VX TR KD WP JL FN EM OC")

DOMAINS = _words("com org net io dev co.uk de eu app info")

FILE_STEMS = _words("""
report budget notes draft invoice plan summary photo export backup minutes agenda slides contract recipe log schema
results survey config dump readme handover roadmap
""")

FILE_ENDINGS = _words("pdf txt csv xlsx docx md json yaml png jpg zip sql pptx toml log")

FOLDERS = _words("srv var opt home data etc mnt usr tmp backup logs www apps share media archive")

BRANCH_KINDS = _words("feature fix release hotfix chore docs refactor spike")

AIRLINE_ENDS = _phrases("Air, Airways, Airlines, Jet, Wings, Express")

HOTEL_ENDS = _phrases("Inn, Lodge, Palace, Guesthouse, Hostel, Suites, Resort, Plaza, House")

LANDMARK_TYPES = _phrases("""
Tower, Bridge, Fountain, Castle, Cathedral, Lighthouse, Museum, Gate, Park, Monument, Falls, Abbey
""")

BAND_PLURALS = _words("""
Foxes Lanterns Pilots Sparrows Engines Wolves Gardeners Tides Comets Strangers Mirrors Sailors Owls Drifters Ghosts
Rockets Poets Walruses Bakers Clocks
""")
