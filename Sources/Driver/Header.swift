internal import IR

/// The C header of a compiled model.
struct Header {
  private let model: ModelInterface

  init(_ model: ModelInterface) { self.model = model }

  var text: String {
    let name = model.name
    let guardName = String(model.headerName.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" }).uppercased()
    let safeGuard = guardName.first?.isNumber == true ? "TFC_\(guardName)" : guardName
    return """
      /* \(name), compiled by \(ModelInterface.compiler): \(CText.inComment(model.build)) */
      #ifndef \(safeGuard)
      #define \(safeGuard)

      #include <stdint.h>

      #ifdef __cplusplus
      extern "C" {
      #endif

      /* A model that is ready to run. One thread at a time may use it; threads that run at once create one each. */
      typedef struct \(name) \(name);

      /* How a model runs; all zero is the default. */
      typedef struct \(name)_options {
        /* At most so many threads work on one call; 0: \(defaultThreads). */
        int32_t threads;
        /* The program's own threads instead of the model's, or null: calls body(state, i) once for each i from 0 to
         * count - 1, on any threads, and returns when all calls have. */
        void (*parallel_for)(void *user, int32_t count, void (*body)(void *state, int32_t index), void *state);
        void *user;
      } \(name)_options;

      /* A new model, or null: then \(name)_last_error(NULL) says why. `options` may be null. */
      \(name) *\(name)_create(const \(name)_options *options);

      \(dims)\(structs)\(run)\(outputExtents)/* Releases the model; null is allowed. */
      void \(name)_destroy(\(name) *model);

      /* What is wrong with the model's last call, "" when nothing; of null: with the last create that failed. */
      const char *\(name)_last_error(const \(name) *model);

      #ifdef __cplusplus
      }
      #endif

      #endif

      """
  }

  private var defaultThreads: String { model.threads == 0 ? "one for each CPU" : "\(model.threads)" }

  private var dims: String {
    guard !model.symbols.isEmpty else { return "" }
    let fields = model.symbols.map { info in
      var note = info.bounds.upper.map { "\(info.bounds.lower) to \($0)" } ?? "from \(info.bounds.lower)"
      if info.identifier != info.symbol.name { note += ", '\(CText.inComment(info.symbol.name))'" }
      return (code: "int64_t \(info.identifier);", note: note)
    }
    let body = Self.columns(fields, indent: "  ")
    return
      "/* The extents that the caller chooses. */\ntypedef struct \(model.name)_dims {\n\(body)} \(model.name)_dims;\n\n"
  }

  private var structs: String {
    guard model.usesStructs else { return "" }
    var text = ""
    if !model.inputs.isEmpty {
      let fields = model.inputs.map { (code: "const \($0.declaration);", note: note($0)) }
      text += "/* Where the inputs are. */\ntypedef struct \(model.name)_inputs {\n"
      text += Self.columns(fields, indent: "  ") + "} \(model.name)_inputs;\n\n"
    }
    if !model.outputs.isEmpty {
      let fields = model.outputs.map { (code: "\($0.declaration);", note: note($0)) }
      text += "/* Where the outputs go. */\ntypedef struct \(model.name)_outputs {\n"
      text += Self.columns(fields, indent: "  ") + "} \(model.name)_outputs;\n\n"
    }
    return text
  }

  private var run: String {
    let name = model.name
    var text =
      "/* Computes the outputs. Returns 0, or else \(name)_last_error says what is wrong. Tensors are row-major. */\n"
    if model.usesStructs {
      return text + CText.call("int32_t \(name)_run", model.leadingParameters, ";", indent: "    ") + "\n"
    }
    var rows = model.inputs.map { (code: "const \($0.declaration),", note: note($0)) }
    rows += model.outputs.map { (code: "\($0.declaration),", note: note($0)) }
    let leading = model.leadingParameters.joined(separator: ", ")
    guard !rows.isEmpty else { return text + "int32_t \(name)_run(\(leading));\n\n" }
    rows[rows.count - 1].code.removeLast()
    text += "int32_t \(name)_run(\n    \(leading),\n"
    return text + Self.columns(rows, indent: "    ") + ");\n\n"
  }

  private var outputExtents: String {
    guard !model.symbols.isEmpty else { return "" }
    let names = model.outputs.enumerated().map { "\($0) '\(CText.inComment($1.name))'" }
    let which =
      switch names.count {
      case 0: "an output"
      case 1...8:
        "output " + names.dropLast().joined(separator: ", ") + (names.count > 1 ? " or " : "") + names[names.count - 1]
      default: "an output, 0 to \(names.count - 1)"
      }
    let comment = CText.comment(
      "The byte count of \(which), -1 where `dims` are out of their bounds. Writes the output's extents to `extents` "
        + "unless it is null.")
    let name = model.name
    return comment + "int64_t \(name)_output_extents(int32_t output, \(name)_dims dims, int64_t *extents);\n\n"
  }

  /// `4 x 3`, and what else a caller should know.
  private func note(_ tensor: ModelInterface.Tensor) -> String {
    var text = tensor.type.dimensions.map(\.description).joined(separator: " x ")
    if tensor.type.rank == 0 { text = "scalar" }
    switch tensor.type.elementType {
    case .i8, .i16, .i32, .i64, .ui8, .ui16, .ui32, .ui64, .f32, .f64: break
    default: text += ", \(tensor.type.elementType)"
    }
    if tensor.type.elementCount.fixed == 0 { text += ", may be null" }
    if let alias = tensor.alias { text += ", may be the buffer of `\(model.inputs[alias].identifier)`" }
    if tensor.identifier != tensor.name { text += ", '\(tensor.name)'" }
    return CText.inComment(text)
  }

  /// Lines of code, with their comments one below the other.
  private static func columns(_ rows: [(code: String, note: String)], indent: String) -> String {
    let width = rows.map(\.code.count).max() ?? 0
    return rows.map { row in
      indent + row.code + String(repeating: " ", count: width - row.code.count) + " /* \(row.note) */\n"
    }.joined()
  }
}

extension ModelInterface.Tensor {
  /// `float *x`
  var declaration: String { "\(type.elementType.cName) *\(identifier)" }
}

extension ModelInterface {
  /// The parameters of the typed function that are not tensors.
  var leadingParameters: [String] {
    var parameters = ["\(name) *model"]
    if !symbols.isEmpty { parameters.append("\(name)_dims dims") }
    if usesStructs, !inputs.isEmpty { parameters.append("const \(name)_inputs *inputs") }
    if usesStructs, !outputs.isEmpty { parameters.append("const \(name)_outputs *outputs") }
    return parameters
  }
}
