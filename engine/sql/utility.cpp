// Statements that hold no query of their own: cursors, settings, transactions, and what makes or changes relations.
#include "engine/sql/utility.hpp"

#include <cstdint>
#include <string>
#include <utility>

namespace tocsin::engine::sql {
namespace {

Relation relation_of(Tree range_var) {
  return {std::string(range_var.text("schemaname")), std::string(range_var.text("relname"))};
}

void names_of(Tree node, const char* key, std::vector<std::string>& out) {
  node.items(key, [&](Tree name) { out.emplace_back(name.string()); });
}

struct Utility {
  Statement& statement;
  const ValueReader& value;  // pins the constant: what is looked at here decides what the statement is

  void cursor(std::string_view tag, Tree body, Kind& kind) const {
    statement.name = body.text("portalname");
    if (tag == "ClosePortalStmt") {
      kind = Kind::kClose;
      return;
    }
    kind = body.flag("ismove") ? Kind::kMove : Kind::kFetch;
    const std::int64_t many = body.number("howMany");
    statement.all = many == INT64_MAX || many == INT64_MIN || many == INT32_MAX;
    const std::string_view direction = body.text("direction");
    const bool one = direction == "FETCH_ABSOLUTE" || direction == "FETCH_RELATIVE";
    statement.jumps = direction == "FETCH_BACKWARD" || one || many < 0;
    statement.count = one ? 1 : static_cast<std::uint64_t>(many < 0 ? -(many + 1) + 1 : many);
  }

  // "a, b" for SET search_path = a, b; unknown if one of the items is.
  Value setting(Tree set) const {
    Value out;
    out.known = true;
    bool first = true;
    set.items("args", [&](Tree arg) {
      const Value item = value(arg, true);
      out.known = out.known && item.known;
      if (!std::exchange(first, false)) out.text += ',';
      out.text += item.text;
    });
    return out;
  }

  void set(Tree body, Kind& kind) const {
    const std::string_view how = body.text("kind");
    kind = how == "VAR_SET_VALUE" ? Kind::kSet : Kind::kReset;
    statement.name = how == "VAR_RESET_ALL" ? "" : body.text("name");
    statement.setting = setting(body).text;
    statement.local = body.flag("is_local");
  }

  // ALTER ROLE … SET, ALTER DATABASE … SET, ALTER SYSTEM SET: for sessions that begin later.
  void defaults(Tree body, Kind& kind) const {
    const Tree set = body.at("setstmt");
    if (!set) return;
    kind = Kind::kDefaults;
    if (set.text("kind") == "VAR_SET_VALUE") statement.settings.push_back({std::string(set.text("name")), setting(set)});
    else if (set.text("kind") == "VAR_SET_CURRENT") statement.settings.push_back({std::string(set.text("name")), {}});
  }

  static void transaction(Tree body, Kind& kind) {
    const std::string_view how = body.text("kind");
    if (how == "TRANS_STMT_BEGIN" || how == "TRANS_STMT_START") kind = Kind::kBegin;
    if (how == "TRANS_STMT_COMMIT" || how == "TRANS_STMT_PREPARE" || how == "TRANS_STMT_COMMIT_PREPARED") {
      kind = Kind::kCommit;
    }
    if (how == "TRANS_STMT_ROLLBACK" || how == "TRANS_STMT_ROLLBACK_PREPARED") kind = Kind::kRollback;
    if (how == "TRANS_STMT_ROLLBACK_TO") kind = Kind::kRollbackTo;
  }

  void create_table(Tree body, Kind& kind) const {
    kind = Kind::kCreateTable;
    statement.target = relation_of(body.at("relation"));
    statement.temporary = body.at("relation").text("relpersistence") == "t";
    statement.if_not_exists = body.flag("if_not_exists");
    body.items("tableElts", [&](Tree element) {
      if (const Tree column = element.at("ColumnDef")) statement.target_columns.emplace_back(column.text("colname"));
    });
    body.items("inhRelations", [&](Tree parent) { statement.parents.push_back(relation_of(parent.at("RangeVar"))); });
    if (const Tree spec = body.at("partspec")) {
      const std::string_view strategy = spec.text("strategy");
      const bool ordered = strategy == "list" || strategy == "range" || strategy == "PARTITION_STRATEGY_LIST" || strategy == "PARTITION_STRATEGY_RANGE";
      bool first = true;
      spec.items("partParams", [&](Tree param) {
        if (std::exchange(first, false) && ordered) statement.partition_column = param.at("PartitionElem").text("name");
      });
    }
    bound(body.at("partbound"));
  }

  void bound(Tree spec) const {
    if (!spec) return;
    PartitionBound& out = statement.bound;
    const std::string_view strategy = spec.text("strategy");
    out.strategy = spec.flag("is_default") ? 'd' : strategy.empty() ? 'h' : strategy.front();
    if (out.strategy == 'l') {
      spec.items("listdatums", [&](Tree datum) { out.values.push_back(value(datum, true)); });
    } else if (out.strategy == 'r') {
      const auto end = [&](const char* key, std::optional<Value>& to) {
        bool first = true;
        spec.items(key, [&](Tree datum) {
          if (!std::exchange(first, false)) return;
          // MINVALUE and MAXVALUE come as names.
          const Value v = value(datum, true);
          if (v.known || v.fractional) to = v;
        });
      };
      end("lowerdatums", out.low);
      end("upperdatums", out.high);
      if (spec.size("upperdatums") > 1) out.values.emplace_back();  // more columns: the first may equal its upper end
    }
  }

  void create_foreign(Tree body, Kind& kind) const {
    kind = Kind::kCreateForeign;
    const Tree base = body.at("base") ? body.at("base") : body.at("baseStmt");
    statement.target = relation_of(base.at("relation"));
    bool renamed = false;  // a column that is called otherwise on the other side
    base.items("tableElts", [&](Tree element) { renamed = renamed || element.at("ColumnDef").size("fdwoptions") > 0; });
    statement.remote = statement.target;
    bool named = false;
    body.items("options", [&](Tree option) {
      const Tree element = option.at("DefElem");
      if (element.text("defname") == "schema_name") statement.remote.schema = element.at("arg").string();
      if (element.text("defname") == "table_name") statement.remote.name = element.at("arg").string();
      named = named || element.text("defname") == "table_name";
    });
    if (renamed || !named) statement.remote = {};
  }

  void drop(Tree body, Kind& kind) const {
    kind = Kind::kDrop;
    body.items("objects", [&](Tree object) {
      std::vector<std::string> parts;
      names_of(object.at("List"), "items", parts);
      if (parts.empty()) return;
      statement.dropped.push_back({parts.size() > 1 ? parts[parts.size() - 2] : "", parts.back()});
    });
  }

  void rename(Tree body, Kind& kind) const {
    const std::string_view what = body.text("renameType");
    statement.target = relation_of(body.at("relation"));
    statement.new_name = body.text("newname");
    if (what == "OBJECT_TABLE" || what == "OBJECT_VIEW" || what == "OBJECT_MATVIEW" || what == "OBJECT_FOREIGN_TABLE") {
      kind = Kind::kRename;
    } else if (what == "OBJECT_SCHEMA") {
      kind = Kind::kRename;
      statement.target = {std::string(body.text("subname")), ""};
    } else if (what == "OBJECT_COLUMN") {
      kind = Kind::kAlterTable;
      statement.altered = {std::string(body.text("subname")), std::exchange(statement.new_name, "")};
    }
  }

  void alter_table(Tree body, Kind& kind) const {
    kind = Kind::kAlterTable;
    statement.target = relation_of(body.at("relation"));
    body.items("cmds", [&](Tree item) {
      const Tree command = item.at("AlterTableCmd");
      const std::string_view what = command.text("subtype");
      if (what == "AT_DropColumn" || what == "AT_AlterColumnType" || what == "AT_AddColumn") {
        const std::string_view added = command.at("def").at("ColumnDef").text("colname");
        statement.altered.emplace_back(command.text("name").empty() ? added : command.text("name"));
      } else if (what == "AT_EnableRowSecurity" || what == "AT_ForceRowSecurity") {
        statement.guarded = true;
      } else if (what == "AT_AddInherit") {
        statement.parents.push_back(relation_of(command.at("def").at("RangeVar")));
      } else if (what == "AT_AttachPartition") {  // the parent is altered; here the child is the target
        const Tree partition = command.at("def").at("PartitionCmd");
        statement.parents.push_back(statement.target);
        statement.target = relation_of(partition.at("name"));
        bound(partition.at("bound"));
      }
    });
  }
};

}  // namespace

void compile_utility(std::string_view tag, Tree body, const ValueReader& value, Statement& statement, Kind& kind) {
  const Utility utility{statement, value};
  if (tag == "FetchStmt" || tag == "ClosePortalStmt") {
    utility.cursor(tag, body, kind);
  } else if (tag == "ExecuteStmt") {
    kind = Kind::kExecute;
    statement.name = body.text("name");
    body.items("params", [&](Tree p) { statement.arguments.push_back(value(p, false)); });
  } else if (tag == "DeallocateStmt") {
    kind = Kind::kDeallocate;
    statement.name = body.text("name");
  } else if (tag == "VariableSetStmt") {
    utility.set(body, kind);
  } else if (tag == "AlterRoleSetStmt" || tag == "AlterDatabaseSetStmt" || tag == "AlterSystemStmt") {
    utility.defaults(body, kind);
  } else if (tag == "TransactionStmt") {
    Utility::transaction(body, kind);
  } else if (tag == "CreateStmt") {
    utility.create_table(body, kind);
  } else if (tag == "CreateForeignTableStmt") {
    utility.create_foreign(body, kind);
  } else if (tag == "DropStmt") {
    utility.drop(body, kind);
  } else if (tag == "TruncateStmt") {
    kind = Kind::kTruncate;
    body.items("relations", [&](Tree relation) { statement.dropped.push_back(relation_of(relation.at("RangeVar"))); });
  } else if (tag == "CallStmt" || tag == "DoStmt") {
    kind = Kind::kCall;
  } else if (tag == "RenameStmt") {
    utility.rename(body, kind);
  } else if (tag == "AlterObjectSchemaStmt") {
    if (!body.at("relation")) return;
    kind = Kind::kRename;
    statement.target = relation_of(body.at("relation"));
    statement.new_schema = body.text("newschema");
  } else if (tag == "AlterTableStmt") {
    utility.alter_table(body, kind);
  } else if (tag == "CreatePolicyStmt" || tag == "AlterPolicyStmt") {
    kind = Kind::kAlterTable;
    statement.target = relation_of(body.at("table"));
    statement.guarded = true;
  } else if (tag == "RuleStmt") {
    kind = Kind::kRule;
    statement.target = relation_of(body.at("relation"));
    if (body.text("event") == "CMD_SELECT") statement.altered.emplace_back("*");
  } else if (tag == "RefreshMatViewStmt") {
    kind = Kind::kRefresh;
    statement.target = relation_of(body.at("relation"));
  }
}

}  // namespace tocsin::engine::sql
