"""Names for people who do not exist: first and last names of many places, drawn independently of one another."""

GIRLS = (
    "Amara", "Anouk", "Aylin", "Bea", "Chiara", "Dunja", "Elin", "Emi", "Farah", "Freya", "Giulia", "Hana", "Ines",
    "Iva", "Jana", "Kaia", "Leila", "Lotte", "Maelys", "Mina", "Nadia", "Noor", "Oona", "Paloma", "Rosa", "Sanne",
    "Saskia", "Sofia", "Tamsin", "Thea", "Uma", "Vera", "Wanda", "Yara", "Yuna", "Zofia",
)  # fmt: skip
BOYS = (
    "Adem", "Aksel", "Amir", "Bruno", "Callum", "Dario", "Dmitri", "Emil", "Eoin", "Farid", "Gabor", "Hamza", "Hiro",
    "Ilya", "Jakub", "Joao", "Kofi", "Lars", "Levin", "Luca", "Mateo", "Milan", "Nils", "Omar", "Pavel", "Rafael",
    "Rashid", "Rui", "Sami", "Seun", "Tariq", "Teo", "Tomas", "Viktor", "Yusuf", "Zane",
)  # fmt: skip
GROWN_UPS = (
    "Agnes", "Ahmed", "Anja", "Bernard", "Carmen", "Chidi", "Dagmar", "Erik", "Fatima", "Goran", "Helga", "Imani",
    "Irina", "Jorge", "Katrin", "Kenji", "Lidia", "Magnus", "Marta", "Mehmet", "Niamh", "Olga", "Paolo", "Petra",
    "Quentin", "Renata", "Samuel", "Selma", "Stefan", "Tessa", "Ulrich", "Vesna", "Walter", "Xenia", "Yolanda", "Zoran",
)  # fmt: skip
LAST = (
    "Abara", "Almeida", "Arslan", "Bakker", "Bellini", "Bergqvist", "Brandt", "Calloway", "Castellan", "Cerny",
    "Chowdhury", "Dalgaard", "Demir", "Dorsey", "Eklund", "Estevez", "Falk", "Farouk", "Fenwick", "Gallo", "Grabowski",
    "Halloran", "Hamdan", "Hartwig", "Holmqvist", "Ibrahimi", "Ishida", "Jankovic", "Kask", "Kaya", "Keller", "Kimura",
    "Lacroix", "Lindholm", "Lombardi", "Maduro", "Mensah", "Morvan", "Nagy", "Nakata", "Nwosu", "Obradovic", "Okonjo",
    "Ostrowski", "Pellegrin", "Pires", "Popescu", "Qureshi", "Radic", "Rahimi", "Ravn", "Rosales", "Saari", "Sandoval",
    "Sharma", "Solberg", "Szabo", "Tamm", "Thorne", "Ueda", "Valdez", "Varga", "Vermeer", "Wexler", "Winkler", "Yilmaz",
    "Zamora", "Zeman",
)  # fmt: skip
OPPONENTS = (
    "Hillside United", "Lakeside Athletic", "Northgate Rangers", "Old Mill SC", "Harbour Town", "Pine Ridge FC",
    "Quarry Street", "Saltmarsh Rovers", "Twin Bridges SC",
)  # fmt: skip
VENUES = (
    ("Kestrel Park", "12 Weir Lane", 52.0421, 1.3304),
    ("Mill Meadow", "3 Mill Meadow Road", 52.0718, 1.2876),
    ("School Ground East", "", None, None),
)
