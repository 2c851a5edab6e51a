/* SPDX-License-Identifier: BSD-2-Clause */
/* The words that people read in counters, pages and tables, in every language. A new word is a new row, no code. */
#include "show/labels.h"

struct language {
	struct slice name;
	const char *title, *itself;
	char thousands, decimal;
};

#define TEXT(literal) SLICE_TEXT(literal)

static const struct language languages[CONF_LANGUAGES] = {
	[CONF_VI] = {TEXT("vi"), "Thống kê truy cập", "Tiếng Việt", '.', ','},
	[CONF_EN] = {TEXT("en"), "Visitor statistics", "English", ',', '.'},
};

static const struct row_label {
	struct slice text[CONF_LANGUAGES];
	enum { ALONE, WITH_MONTH, WITH_YEAR } number; /* what follows the text */
} row_labels[CONF_ROW_NAMES] = {
	[SHOWN_TODAY] = {.text = {[CONF_VI] = TEXT("Hôm nay"), [CONF_EN] = TEXT("Today")}},
	[SHOWN_YESTERDAY] = {.text = {[CONF_VI] = TEXT("Hôm qua"), [CONF_EN] = TEXT("Yesterday")}},
	[SHOWN_THIS_WEEK] = {.text = {[CONF_VI] = TEXT("Tuần này"), [CONF_EN] = TEXT("This week")}},
	[SHOWN_LAST_WEEK] =
		{.text = {[CONF_VI] = TEXT("Tuần trước"), [CONF_EN] = TEXT("Last week")}},
	[SHOWN_THIS_MONTH] = {.text = {[CONF_VI] = TEXT("Tháng "), [CONF_EN] = TEXT("Month ")},
			      .number = WITH_MONTH},
	[SHOWN_LAST_MONTH] =
		{.text = {[CONF_VI] = TEXT("Tháng trước"), [CONF_EN] = TEXT("Last month")}},
	[SHOWN_THIS_YEAR] = {.text = {[CONF_VI] = TEXT("Năm "), [CONF_EN] = TEXT("Year ")},
			     .number = WITH_YEAR},
	[SHOWN_LAST_YEAR] =
		{.text = {[CONF_VI] = TEXT("Năm trước"), [CONF_EN] = TEXT("Last year")}},
	[SHOWN_TOTAL] = {.text = {[CONF_VI] = TEXT("Tổng"), [CONF_EN] = TEXT("Total")}},
	[CONF_ROW_ONLINE] =
		{.text = {[CONF_VI] = TEXT("Đang trực tuyến"), [CONF_EN] = TEXT("Online")}},
	[CONF_ROW_BOTS] = {.text = {[CONF_VI] = TEXT("Máy tìm kiếm"), [CONF_EN] = TEXT("Bots")}},
};

/* Heads of columns and the words around a table's sums. */
static const char *const words[LABEL_WORDS][CONF_LANGUAGES] = {
	[WORD_SITE] = {[CONF_VI] = "Trang", [CONF_EN] = "Site"},
	[WORD_TIME] = {[CONF_VI] = "Giờ", [CONF_EN] = "Time"},
	[WORD_HOUR] = {[CONF_VI] = "Giờ", [CONF_EN] = "Hour"},
	[WORD_DAY] = {[CONF_VI] = "Ngày", [CONF_EN] = "Day"},
	[WORD_WEEK] = {[CONF_VI] = "Tuần", [CONF_EN] = "Week"},
	[WORD_MONTH] = {[CONF_VI] = "Tháng", [CONF_EN] = "Month"},
	[WORD_YEAR] = {[CONF_VI] = "Năm", [CONF_EN] = "Year"},
	[WORD_HITS] = {[CONF_VI] = "Lượt xem", [CONF_EN] = "Views"},
	[WORD_VISITS] = {[CONF_VI] = "Lượt truy cập", [CONF_EN] = "Visits"},
	[WORD_VISITORS] = {[CONF_VI] = "Khách", [CONF_EN] = "Visitors"},
	[WORD_BOTS] = {[CONF_VI] = "Máy tìm kiếm", [CONF_EN] = "Bots"},
	[WORD_ONLINE] = {[CONF_VI] = "Trực tuyến", [CONF_EN] = "Online"},
	[WORD_METRIC] = {[CONF_VI] = "Chỉ số", [CONF_EN] = "Metric"},
	[WORD_PAGE] = {[CONF_VI] = "Đường dẫn", [CONF_EN] = "Page"},
	[WORD_REFERRER] = {[CONF_VI] = "Nguồn", [CONF_EN] = "Referrer"},
	[WORD_COUNTRY] = {[CONF_VI] = "Quốc gia", [CONF_EN] = "Country"},
	[WORD_BROWSER] = {[CONF_VI] = "Trình duyệt", [CONF_EN] = "Browser"},
	[WORD_SYSTEM] = {[CONF_VI] = "Hệ điều hành", [CONF_EN] = "System"},
	[WORD_DEVICE] = {[CONF_VI] = "Thiết bị", [CONF_EN] = "Device"},
	[WORD_SCREEN] = {[CONF_VI] = "Màn hình", [CONF_EN] = "Screen"},
	[WORD_REFUSED] = {[CONF_VI] = "Từ chối", [CONF_EN] = "Refused"},
	[WORD_SHARE] = {[CONF_VI] = "Tỷ lệ", [CONF_EN] = "Share"},
	[WORD_OTHER] = {[CONF_VI] = "(khác)", [CONF_EN] = "(other)"},
	[WORD_SUM] = {[CONF_VI] = "Tổng", [CONF_EN] = "Sum"},
	[WORD_TOTAL] = {[CONF_VI] = "Tổng", [CONF_EN] = "Total"},
	[WORD_CHANGE] = {[CONF_VI] = "Cùng kỳ", [CONF_EN] = "Change"},
	[WORD_AVERAGE] = {[CONF_VI] = "Trung bình", [CONF_EN] = "Average"},
	[WORD_RUNNING] = {[CONF_VI] = "chưa hết", [CONF_EN] = "not over yet"},
	[WORD_ESTIMATE] = {[CONF_VI] = "ước tính", [CONF_EN] = "estimate"},
	[WORD_ESTIMATED] = {[CONF_VI] = "Ước tính", [CONF_EN] = "Estimate"},
	[WORD_TIMEZONE] = {[CONF_VI] = "Múi giờ", [CONF_EN] = "Time zone"},
	[WORD_LANGUAGE] = {[CONF_VI] = "Ngôn ngữ", [CONF_EN] = "Language"},
	[WORD_HOSTS] = {[CONF_VI] = "Tên miền", [CONF_EN] = "Hosts"},
	[WORD_SHARD] = {[CONF_VI] = "Phân mảnh", [CONF_EN] = "Shard"},
	[WORD_CONFIGURED] = {[CONF_VI] = "Có cấu hình", [CONF_EN] = "Configured"},
	[WORD_STREAM] = {[CONF_VI] = "Luồng", [CONF_EN] = "Stream"},
	[WORD_BYTES] = {[CONF_VI] = "Byte", [CONF_EN] = "Bytes"},
	[WORD_FIRST] = {[CONF_VI] = "Đầu", [CONF_EN] = "First"},
	[WORD_END] = {[CONF_VI] = "Cuối", [CONF_EN] = "End"},
	[WORD_AGE] = {[CONF_VI] = "Tuổi", [CONF_EN] = "Age"},
	[WORD_FRAMES] = {[CONF_VI] = "Khung", [CONF_EN] = "Frames"},
	[WORD_RECORDS] = {[CONF_VI] = "Bản ghi", [CONF_EN] = "Records"},
	[WORD_DAMAGED] = {[CONF_VI] = "Hỏng", [CONF_EN] = "Damaged"},
	[WORD_LIVE_HITS] = {[CONF_VI] = "Xem", [CONF_EN] = "Views"},
	[WORD_LIVE_VISITS] = {[CONF_VI] = "Truy cập", [CONF_EN] = "Visits"},
	[WORD_LIVE_ONLINE] = {[CONF_VI] = "Online", [CONF_EN] = "Online"},
	[WORD_LIVE_BOTS] = {[CONF_VI] = "Bot", [CONF_EN] = "Bots"},
	[WORD_LAG] = {[CONF_VI] = "Trễ", [CONF_EN] = "Lag"},
	[WORD_P99] = {[CONF_VI] = "p99", [CONF_EN] = "p99"},
	[WORD_KEY] = {[CONF_VI] = "Khóa", [CONF_EN] = "Key"},
	[WORD_VALUE] = {[CONF_VI] = "Giá trị", [CONF_EN] = "Value"},
	[WORD_ORIGIN] = {[CONF_VI] = "Từ đâu", [CONF_EN] = "From"},
	[WORD_CHECK] = {[CONF_VI] = "Kiểm tra", [CONF_EN] = "Check"},
	[WORD_STATE] = {[CONF_VI] = "Trạng thái", [CONF_EN] = "State"},
	[WORD_FINDING] = {[CONF_VI] = "Kết quả", [CONF_EN] = "Finding"},
	[WORD_ADVICE] = {[CONF_VI] = "Cần làm", [CONF_EN] = "What to do"},
	[WORD_FILE] = {[CONF_VI] = "Tệp", [CONF_EN] = "File"},
	[WORD_LINES] = {[CONF_VI] = "Dòng", [CONF_EN] = "Lines"},
	[WORD_COUNTED] = {[CONF_VI] = "Đã đếm", [CONF_EN] = "Counted"},
	[WORD_EXCLUDED] = {[CONF_VI] = "Loại trừ", [CONF_EN] = "Excluded"},
	[WORD_SKIPPED] = {[CONF_VI] = "Bỏ qua", [CONF_EN] = "Skipped"},
	[WORD_BAD] = {[CONF_VI] = "Lỗi", [CONF_EN] = "Bad"},
	[WORD_ALREADY] = {[CONF_VI] = "Đã có", [CONF_EN] = "Already"},
	[WORD_VIEW_STATS] = {[CONF_VI] = "Xem thống kê truy cập", [CONF_EN] = "View statistics"},
	[WORD_PERIOD] = {[CONF_VI] = "Kỳ", [CONF_EN] = "Period"},
	[WORD_ADJUSTED] = {[CONF_VI] = "Điều chỉnh", [CONF_EN] = "Adjusted"},
	[WORD_SHOWN] = {[CONF_VI] = "Hiển thị", [CONF_EN] = "Shown"},
	[WORD_WHEN] = {[CONF_VI] = "Thời điểm", [CONF_EN] = "Time"},
	[WORD_USER] = {[CONF_VI] = "Người dùng", [CONF_EN] = "User"},
	[WORD_HOST] = {[CONF_VI] = "Máy chủ", [CONF_EN] = "Host"},
	[WORD_COMMAND] = {[CONF_VI] = "Lệnh", [CONF_EN] = "Command"},
	[WORD_CHANGED] = {[CONF_VI] = "Thay đổi", [CONF_EN] = "Change"},
	[WORD_FROM] = {[CONF_VI] = "Từ", [CONF_EN] = "From"},
	[WORD_INTO] = {[CONF_VI] = "Vào", [CONF_EN] = "Into"},
	[WORD_KEYS] = {[CONF_VI] = "Khóa", [CONF_EN] = "Keys"},
	[WORD_WHY] = {[CONF_VI] = "Lý do", [CONF_EN] = "Reason"},
	[WORD_OVERVIEW] = {[CONF_VI] = "Tổng quan", [CONF_EN] = "Overview"},
	[WORD_BY_DAY] = {[CONF_VI] = "Theo ngày", [CONF_EN] = "By day"},
	[WORD_BY_MONTH] = {[CONF_VI] = "Theo tháng", [CONF_EN] = "By month"},
	[WORD_BY_YEAR] = {[CONF_VI] = "Theo năm", [CONF_EN] = "By year"},
	[WORD_BY_HOUR] = {[CONF_VI] = "Theo giờ", [CONF_EN] = "By hour"},
	[WORD_TOP_PAGES] = {[CONF_VI] = "Trang được xem nhiều", [CONF_EN] = "Most viewed pages"},
	[WORD_TOP_COUNTRIES] = {[CONF_VI] = "Quốc gia", [CONF_EN] = "Countries"},
	[WORD_TOP_REFERRERS] = {[CONF_VI] = "Nguồn truy cập", [CONF_EN] = "Referrers"},
	[WORD_TOP_BROWSERS] = {[CONF_VI] = "Trình duyệt", [CONF_EN] = "Browsers"},
	[WORD_NUMBERS] = {[CONF_VI] = "Bảng số liệu", [CONF_EN] = "Numbers"},
	[WORD_HIGHEST] = {[CONF_VI] = "Cao nhất", [CONF_EN] = "Highest"},
	[WORD_NOTHING] = {[CONF_VI] = "Chưa có số liệu", [CONF_EN] = "Nothing counted yet"},
	[WORD_UNAVAILABLE] =
		{[CONF_VI] = "Hiện chưa lấy được số liệu chi tiết, xin thử lại sau",
		 [CONF_EN] = "Details cannot be read at the moment, please try again later"},
	[WORD_AS_OF] = {[CONF_VI] = "Cập nhật lúc", [CONF_EN] = "As of"},
	[WORD_OTHERS] = {[CONF_VI] = "(khác)", [CONF_EN] = "(other)"},
};

const char *
label_title(enum conf_language language)
{
	return languages[language].title;
}

/* Exactly `width` digits; returns their end. */
static char *
put_digits(char *to, uint32_t value, int width)
{
	for (int i = width - 1; i >= 0; i--, value /= 10)
		to[i] = (char)('0' + value % 10);
	return to + width;
}

void
label_row(struct buf *out, enum conf_language language, int row, struct civil today)
{
	const struct row_label *label = &row_labels[row];
	char number[4];
	buf_add_slice(out, label->text[language]);
	if (label->number == WITH_MONTH)
		buf_add(out, number,
			(size_t)(put_digits(number, (uint32_t)today.month, 2) - number));
	else if (label->number == WITH_YEAR)
		buf_add(out, number,
			(size_t)(put_digits(number, (uint32_t)today.year, 4) - number));
}

/* By groups of three digits, the first of which is as long as it is. */
void
label_number(struct buf *out, enum conf_language language, int64_t value)
{
	uint32_t groups[7]; /* of three digits, the last first */
	size_t count = 0;
	uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;
	for (; rest >= 1000; rest /= 1000)
		groups[count++] = (uint32_t)(rest % 1000);
	char *start = buf_reserve(out, BUF_INT_MAX + COUNT_OF(groups)), *to = start;
	if (value < 0)
		*to++ = '-';
	to = buf_put_int(to, (int64_t)rest);
	while (count > 0) {
		*to++ = languages[language].thousands;
		to = put_digits(to, groups[--count], 3);
	}
	out->len += (size_t)(to - start);
}

void
label_share(struct buf *out, enum conf_language language, int64_t ten_thousandths)
{
	int64_t tenths = (ten_thousandths + 5) / 10;
	buf_add_int(out, tenths / 10);
	buf_addf(out, "%c%d %%", languages[language].decimal, (int)(tenths % 10));
}

void
label_change(struct buf *out, enum conf_language language, int64_t ten_thousandths)
{
	if (ten_thousandths >= 0)
		buf_add_literal(out, "+");
	else
		buf_add_literal(out, "-");
	label_share(out, language, ten_thousandths < 0 ? -ten_thousandths : ten_thousandths);
}

void
label_millis(struct buf *out, enum conf_language language, int64_t micros)
{
	int64_t tenths = (micros + 50) / 100;
	label_number(out, language, tenths / 10);
	buf_addf(out, "%c%d ms", languages[language].decimal, (int)(tenths % 10));
}

void
label_bytes(struct buf *out, enum conf_language language, int64_t bytes)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	double value = (double)bytes;
	size_t unit = 0;
	for (; value >= 1024 && unit + 1 < COUNT_OF(units); unit++)
		value /= 1024;
	int64_t tenths = (int64_t)(value * 10 + 0.5);
	label_number(out, language, tenths / 10);
	if (unit > 0)
		buf_addf(out, "%c%d", languages[language].decimal, (int)(tenths % 10));
	buf_addf(out, " %s", units[unit]);
}

void
label_duration(struct buf *out, int64_t seconds)
{
	int64_t days = seconds / 86400, rest = seconds % 86400;
	if (days > 0)
		buf_addf(out, "%" PRId64 "d ", days);
	buf_addf(out, "%02d:%02d:%02d", (int)(rest / 3600), (int)(rest / 60 % 60),
		 (int)(rest % 60));
}

const char *
label_word(enum conf_language language, enum label_word word)
{
	return words[word][language];
}

bool
label_language(struct slice name, enum conf_language *language)
{
	for (int i = 0; i < CONF_LANGUAGES; i++)
		if (slice_eq(name, languages[i].name)) {
			*language = (enum conf_language)i;
			return true;
		}
	return false;
}

struct slice
label_language_name(enum conf_language language)
{
	return languages[language].name;
}

const char *
label_language_itself(enum conf_language language)
{
	return languages[language].itself;
}

void
label_date(struct buf *out, enum conf_language language, struct civil date)
{
	if (language == CONF_VI)
		buf_addf(out, "%02d/%02d/%04d", date.day, date.month, (int)date.year);
	else
		buf_addf(out, "%04d-%02d-%02d", (int)date.year, date.month, date.day);
}

void
label_month(struct buf *out, enum conf_language language, struct civil date)
{
	label_row(out, language, SHOWN_THIS_MONTH, date);
	buf_addf(out, "/%04d", (int)date.year);
}

/* As their licences word it. */
static const struct label_credit credits[] = {
	{"DBIP", "IP Geolocation by DB-IP", "https://db-ip.com"},
	{"GeoLite",
	 "This product includes GeoLite Data created by MaxMind, available from "
	 "https://www.maxmind.com",
	 "https://www.maxmind.com"},
	{"IP2L",
	 "This site or product includes IP2Location LITE data available from "
	 "https://lite.ip2location.com",
	 "https://lite.ip2location.com"},
};

const struct label_credit *
label_credit(const char *geo_type)
{
	for (size_t i = 0; i < COUNT_OF(credits); i++)
		if (strcasestr(geo_type, credits[i].type))
			return &credits[i];
	return NULL;
}
