#include "embedded.h"

static const unsigned char registry[] = {
#embed "../../Migrations/0001-registry.sql"
};
static const unsigned char history[] = {
#embed "../../Migrations/0002-history.sql"
};
static const unsigned char ideas[] = {
#embed "../../Migrations/0003-ideas.sql"
};
static const unsigned char pairings[] = {
#embed "../../Migrations/0004-pairings.sql"
};
static const unsigned char appointments[] = {
#embed "../../Migrations/0005-appointments.sql"
};
static const unsigned char rounds[] = {
#embed "../../Migrations/0006-rounds.sql"
};
static const unsigned char sessions[] = {
#embed "../../Migrations/0007-sessions.sql"
};
static const unsigned char push[] = {
#embed "../../Migrations/0008-push.sql"
};
static const unsigned char devices[] = {
#embed "../../Migrations/0009-devices.sql"
};
static const unsigned char webhooks[] = {
#embed "../../Migrations/0010-webhooks.sql"
};
static const unsigned char indicators[] = {
#embed "../../Migrations/0011-indicators.sql"
};
static const unsigned char documents[] = {
#embed "../../Migrations/0012-documents.sql"
};
static const unsigned char checks[] = {
#embed "../../Migrations/0013-checks.sql"
};
static const unsigned char openapi[] = {
#embed "../../openapi.yaml"
};
static const unsigned char coops[] = {
#embed "data/coops.json"
};
static const unsigned char mooc[] = {
#embed "data/mooc.json"
};
static const unsigned char workshop[] = {
#embed "data/workshop.json"
};

static const unsigned char dashboard_page[] = {
#embed "dashboard/index.html"
};
static const unsigned char dashboard_style[] = {
#embed "dashboard/dashboard.css"
};
static const unsigned char dashboard_script[] = {
#embed "dashboard/dashboard.js"
};
static const unsigned char dashboard_pictures[] = {
#embed "dashboard/pictures.js"
};
static const unsigned char dashboard_server[] = {
#embed "dashboard/server.js"
};
static const unsigned char dashboard_texts[] = {
#embed "dashboard/texts.js"
};
static const unsigned char dashboard_icon[] = {
#embed "dashboard/icon.svg"
};

// In the order in which they run; a new migration is a new array above and a new line here.
const EmbeddedFile embedded_migrations[] = {
    {"0001-registry", registry, sizeof registry},
    {"0002-history", history, sizeof history},
    {"0003-ideas", ideas, sizeof ideas},
    {"0004-pairings", pairings, sizeof pairings},
    {"0005-appointments", appointments, sizeof appointments},
    {"0006-rounds", rounds, sizeof rounds},
    {"0007-sessions", sessions, sizeof sessions},
    {"0008-push", push, sizeof push},
    {"0009-devices", devices, sizeof devices},
    {"0010-webhooks", webhooks, sizeof webhooks},
    {"0011-indicators", indicators, sizeof indicators},
    {"0012-documents", documents, sizeof documents},
    {"0013-checks", checks, sizeof checks},
};
const size_t embedded_migration_count = sizeof embedded_migrations / sizeof *embedded_migrations;

const EmbeddedFile embedded_openapi = {"openapi.yaml", openapi, sizeof openapi};
const EmbeddedFile embedded_coops = {"coops.json", coops, sizeof coops};
const EmbeddedFile embedded_mooc = {"mooc.json", mooc, sizeof mooc};
const EmbeddedFile embedded_workshop = {"workshop.json", workshop, sizeof workshop};

const EmbeddedFile embedded_dashboard[] = {
    {"index.html", dashboard_page, sizeof dashboard_page},
    {"dashboard.css", dashboard_style, sizeof dashboard_style},
    {"dashboard.js", dashboard_script, sizeof dashboard_script},
    {"pictures.js", dashboard_pictures, sizeof dashboard_pictures},
    {"server.js", dashboard_server, sizeof dashboard_server},
    {"texts.js", dashboard_texts, sizeof dashboard_texts},
    {"icon.svg", dashboard_icon, sizeof dashboard_icon},
};
const size_t embedded_dashboard_count = sizeof embedded_dashboard / sizeof *embedded_dashboard;
