-- A registry as the first version of the schema kept it: two notes, one of them in place, and a composite that is recorded.
PRAGMA application_id = 1886286956;
PRAGMA user_version = 1;
BEGIN TRANSACTION;
CREATE TABLE action(
    id INTEGER PRIMARY KEY,
    agent INTEGER NOT NULL,
    time TEXT NOT NULL
) STRICT;
INSERT INTO "action" VALUES(1,1,'2026-11-22T23:21:02.913893693Z');
INSERT INTO "action" VALUES(2,1,'2026-11-22T23:21:02.997002033Z');
INSERT INTO "action" VALUES(3,2,'2026-11-22T23:21:03.055775653Z');
CREATE TABLE agent(
    id INTEGER PRIMARY KEY,
    body TEXT NOT NULL UNIQUE
) STRICT;
INSERT INTO "agent" VALUES(1,'{"action":"ingest","time":"","user":"caroline","host":"slough","version":"0.1.0","notes":[]}');
INSERT INTO "agent" VALUES(2,'{"action":"link","time":"","user":"caroline","host":"slough","version":"0.1.0","notes":[]}');
CREATE TABLE dataset(
    id INTEGER PRIMARY KEY,
    uuid BLOB NOT NULL UNIQUE,
    definition INTEGER NOT NULL,
    data_id TEXT NOT NULL,
    location TEXT,
    bytes INTEGER,
    modified INTEGER,
    digest BLOB,
    layout INTEGER,
    action INTEGER NOT NULL,
    superseded INTEGER NOT NULL,
    composite INTEGER NOT NULL
) STRICT;
INSERT INTO "dataset" VALUES(1,X'01A2059026C171A3AD22E623C9F6F3CD',1,'[1]',NULL,16,1795389662861320100,X'82BD72CB7018822C8C1903433C147083938FC2CF4DA7D043F935500A0C3B967E',NULL,1,0,0);
INSERT INTO "dataset" VALUES(2,X'01A20590271477489E0ECB6E14CEEFA1',2,'[1]','//data/w.json',12,1795389662861320100,NULL,NULL,2,0,0);
INSERT INTO "dataset" VALUES(3,X'01A20590274F77D9AC497C452D866DBC',3,'[1]',NULL,NULL,NULL,NULL,NULL,3,0,1);
CREATE TABLE definition(
    id INTEGER PRIMARY KEY,
    key_table INTEGER NOT NULL,
    digest BLOB NOT NULL UNIQUE,
    body TEXT NOT NULL
) STRICT;
INSERT INTO "definition" VALUES(1,1,X'57ED28D1431656FCE8C7FEAC1CD9C1B0DDE71D81664D96CC83E77DA6E467A98E','{"dataset_type":"note","keys":[["visit","int"]],"template":"notes/%(visit)04d.json","storage":"JsonStorage","python":"dict","assembler":null}');
INSERT INTO "definition" VALUES(2,2,X'EBA71A3659726A20A7E2B536BAAFA0B3F0395697B5C299FBDC891C0812BE9C3E','{"dataset_type":"weather","keys":[["visit","int"]],"template":"weather/%(visit)04d.json","storage":"JsonStorage","python":"dict","assembler":null}');
INSERT INTO "definition" VALUES(3,3,X'B8932C330415FCDC643D5293E7D89E7DD0172EEFF244C23350B2DBFF3C289062','{"dataset_type":"night","keys":[["visit","int"]],"template":null,"storage":null,"python":"dict","assembler":"pantler.container","extra":"{\"base\":\"note\",\"components\":[{\"name\":\"note\",\"dataset_type\":\"note\"},{\"name\":\"weather\",\"dataset_type\":\"weather\",\"input_only\":true}]}"}');
CREATE TABLE key_table(
    id INTEGER PRIMARY KEY,
    dataset_type TEXT NOT NULL,
    keys TEXT NOT NULL
) STRICT;
INSERT INTO "key_table" VALUES(1,'note','[["visit","int"]]');
INSERT INTO "key_table" VALUES(2,'weather','[["visit","int"]]');
INSERT INTO "key_table" VALUES(3,'night','[["visit","int"]]');
CREATE TABLE keys_1("k_visit" INTEGER NOT NULL, dataset INTEGER NOT NULL, PRIMARY KEY("k_visit")) STRICT, WITHOUT ROWID;
INSERT INTO "keys_1" VALUES(1,1);
CREATE TABLE keys_2("k_visit" INTEGER NOT NULL, dataset INTEGER NOT NULL, PRIMARY KEY("k_visit")) STRICT, WITHOUT ROWID;
INSERT INTO "keys_2" VALUES(1,2);
CREATE TABLE keys_3("k_visit" INTEGER NOT NULL, dataset INTEGER NOT NULL, PRIMARY KEY("k_visit")) STRICT, WITHOUT ROWID;
INSERT INTO "keys_3" VALUES(1,3);
CREATE TABLE layout(
    id INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    body BLOB NOT NULL
) STRICT;
CREATE TABLE member(
    composite INTEGER NOT NULL,
    position INTEGER NOT NULL,
    component TEXT NOT NULL,
    uuid BLOB NOT NULL,
    dataset_type TEXT NOT NULL,
    data_id TEXT NOT NULL,
    part TEXT NOT NULL,
    input_only INTEGER NOT NULL,
    PRIMARY KEY(composite, position)
) STRICT, WITHOUT ROWID;
INSERT INTO "member" VALUES(3,0,'note',X'01A2059026C171A3AD22E623C9F6F3CD','note','{"visit":1}','[]',0);
INSERT INTO "member" VALUES(3,1,'weather',X'01A20590271477489E0ECB6E14CEEFA1','weather','{"visit":1}','[]',1);
CREATE INDEX member_uuid ON member(uuid);
COMMIT;
