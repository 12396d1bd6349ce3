/* edge_date.c: a number of milliseconds as a date of the Gregorian calendar. Counted in years that
 * begin in March, so that the leap day is the last day of the year and no table is needed. */
#include "edge_room.h"

struct edge_date {
    uint32_t year, month, day, hour, minute, second, ms, weekday; /* weekday 0 is Sunday */
};

#define DAYS_PER_ERA 146097u           /* 400 years */
#define DAYS_TO_1970 719468u           /* from 0000-03-01 */
#define WALL_MS_MAX 253402300799999ull /* the last millisecond of the year 9999 */

static struct edge_date edge_date_of(uint64_t wall_ms)
{
    uint64_t ms = wall_ms < WALL_MS_MAX ? wall_ms : WALL_MS_MAX;
    uint32_t seconds = (uint32_t)(ms / 1000 % 86400);
    uint32_t days = (uint32_t)(ms / 86400000) + DAYS_TO_1970;
    uint32_t day_of_era = days % DAYS_PER_ERA;
    uint32_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    uint32_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    uint32_t month_from_march = (5 * day_of_year + 2) / 153;
    struct edge_date date = {
        .day = day_of_year - (153 * month_from_march + 2) / 5 + 1,
        .month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9,
        .hour = seconds / 3600,
        .minute = seconds / 60 % 60,
        .second = seconds % 60,
        .ms = (uint32_t)(ms % 1000),
        .weekday = (days - DAYS_TO_1970 + 4) % 7, /* 1970-01-01 was a Thursday */
    };

    date.year = days / DAYS_PER_ERA * 400 + year_of_era + (date.month <= 2);
    return date;
}

static void edge_date_digits(char *text, uint32_t number, unsigned width)
{
    for (unsigned i = width; i > 0; i--) {
        text[i - 1] = (char)('0' + number % 10);
        number /= 10;
    }
}

void edge_date_http(uint64_t wall_ms, char text[29])
{
    static const char days[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct edge_date date = edge_date_of(wall_ms);

    memcpy(text, "Sun, 00 Jan 0000 00:00:00 GMT", 29);
    memcpy(text, days + (size_t)date.weekday * 3, 3);
    memcpy(text + 8, months + (size_t)(date.month - 1) * 3, 3);
    edge_date_digits(text + 5, date.day, 2);
    edge_date_digits(text + 12, date.year, 4);
    edge_date_digits(text + 17, date.hour, 2);
    edge_date_digits(text + 20, date.minute, 2);
    edge_date_digits(text + 23, date.second, 2);
}

void edge_date_put(struct edge_out *out, uint64_t wall_ms)
{
    struct edge_date date = edge_date_of(wall_ms);
    char text[] = "0000-00-00T00:00:00.000Z";

    edge_date_digits(text, date.year, 4);
    edge_date_digits(text + 5, date.month, 2);
    edge_date_digits(text + 8, date.day, 2);
    edge_date_digits(text + 11, date.hour, 2);
    edge_date_digits(text + 14, date.minute, 2);
    edge_date_digits(text + 17, date.second, 2);
    edge_date_digits(text + 20, date.ms, 3);
    edge_put(out, text, sizeof text - 1);
}
