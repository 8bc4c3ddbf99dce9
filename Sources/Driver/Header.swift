internal import CodegenOpenCL
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
      /* \(name), compiled by \(ModelInterface.compiler): \(CComment.text(model.build)) */
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
      \(deviceOption)} \(name)_options;

      /* A new model, or null: then \(name)_last_error(NULL) says why. `options` may be null. */
      \(name) *\(name)_create(const \(name)_options *options);

      \(dims)\(structs)\(run)\(runOnDevice)\(outputExtents)/* Releases the model; null is allowed. */
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
      if let most = info.most { note = "decided by the data: at most \(CComment.text(most.description))" }
      if info.identifier != info.symbol.name { note += ", '\(CComment.text(info.symbol.name))'" }
      return (code: "int64_t \(info.identifier);", note: note)
    }
    let body = Self.columns(fields, indent: "  ")
    let comment =
      model.hasDataSymbols
      ? "The extents that the caller chooses, and those that the data decides." : "The extents that the caller chooses."
    return
      "/* \(comment) */\ntypedef struct \(model.name)_dims {\n\(body)} \(model.name)_dims;\n\n"
  }

  private var deviceOption: String {
    guard model.device != nil else { return "" }
    let comment = CText.comment(
      "The OpenCL device: \"platform:device\" by number, or a part of its name or its platform's; null: what the "
        + "environment variable TFC_OPENCL_DEVICE says, else the first GPU, else another device.")
    return comment.split(separator: "\n").map { "  \($0)\n" }.joined() + "  const char *device;\n"
  }

  private var structs: String {
    guard model.usesStructs else { return "" }
    return structure("inputs", "Where the inputs are.", model.inputs) { "const \($0.declaration)" }
      + structure("outputs", "Where the outputs go.", model.outputs) { $0.declaration }
  }

  /// A struct with one pointer a tensor; nothing where there are no tensors.
  private func structure(
    _ name: String, _ comment: String, _ tensors: [ModelInterface.Tensor],
    _ declaration: (ModelInterface.Tensor) -> String
  ) -> String {
    if tensors.isEmpty { return "" }
    let fields = tensors.map { (code: declaration($0) + ";", note: note($0)) }
    return "/* \(comment) */\ntypedef struct \(model.name)_\(name) {\n" + Self.columns(fields, indent: "  ")
      + "} \(model.name)_\(name);\n\n"
  }

  private var run: String {
    let name = model.name
    let comment =
      "/* Computes the outputs. Returns 0, or else \(name)_last_error says what is wrong. Tensors are row-major. */\n"
    return comment + prototype("run", model.runParameters)
  }

  /// What programs call that have their tensors on the device.
  private var runOnDevice: String {
    guard model.device != nil else { return "" }
    let name = model.name
    var text = ""
    if model.usesStructs {
      text += structure("device_inputs", "The inputs' memory objects.", model.inputs) { "void *\($0.identifier)" }
      text += structure("device_outputs", "The outputs' memory objects.", model.outputs) { "void *\($0.identifier)" }
    }
    text += CText.comment(
      "The same where each tensor is a cl_mem of the model's context. Returns when the work is in the model's queue, "
        + "which need not have done it.")
    text += prototype("run_on_device", model.deviceParameters)
    text += CText.comment(
      "The model's cl_context (kind 0), cl_device_id (1) or cl_command_queue (2), as long as the model lives; null where "
        + "it runs on the CPU.")
    text += "void *\(name)_device_handle(const \(name) *model, int32_t kind);\n\n"
    text += CText.comment(
      "Where the model runs: 1 on an OpenCL device, 0 on the CPU. Writes why, unless `why` is null: the device's name, or "
        + "why it is not on a device.")
    return text + "int32_t \(name)_target(const \(name) *model, const char **why);\n\n"
  }

  /// The declaration of a typed function, a line for each tensor.
  private func prototype(_ function: String, _ parameters: [String]) -> String {
    let tensors = model.usesStructs ? [] : model.inputs + model.outputs
    let name = "int32_t \(model.name)_\(function)"
    if tensors.isEmpty { return CText.call(name, parameters, ";", indent: "    ") + "\n" }
    let leading = parameters.prefix(parameters.count - tensors.count).joined(separator: ", ")
    var rows = zip(parameters.suffix(tensors.count), tensors).map { (code: "\($0),", note: note($1)) }
    rows[rows.count - 1].code.removeLast()
    return "\(name)(\n    \(leading),\n" + Self.columns(rows, indent: "    ") + ");\n\n"
  }

  private var outputExtents: String {
    guard !model.symbols.isEmpty else { return "" }
    let names = model.outputs.enumerated().map { "\($0) '\(CComment.text($1.name))'" }
    let which =
      switch names.count {
      case 0: "an output"
      case 1...8:
        "output " + names.dropLast().joined(separator: ", ") + (names.count > 1 ? " or " : "") + names[names.count - 1]
      default: "an output, 0 to \(names.count - 1)"
      }
    let comment = CText.comment(
      "The byte count of \(which), -1 where `dims` are out of their bounds. Writes the output's extents to `extents` "
        + "unless it is null."
        + (model.hasDataSymbols
          ? " Before a call, -1 for what the data decides: the output needs room for the most." : ""))
    let name = model.name
    return comment + "int64_t \(name)_output_extents(int32_t output, \(name)_dims dims, int64_t *extents);\n\n"
      + lastDims
  }

  private var lastDims: String {
    guard model.hasDataSymbols else { return "" }
    let name = model.name
    let comment = CText.comment(
      "The extents of the model's last call, those among them that the data decided; -1 each where it did not succeed.")
    return comment + "\(name)_dims \(name)_last_dims(const \(name) *model);\n\n"
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
    return CComment.text(text)
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
  /// The parameters of the typed function.
  var runParameters: [String] {
    let tensors = inputs.map { "const \($0.declaration)" } + outputs.map(\.declaration)
    return leadingParameters("") + (usesStructs ? [] : tensors)
  }

  /// The parameters of the typed function whose tensors are memory objects.
  var deviceParameters: [String] {
    leadingParameters("device_") + (usesStructs ? [] : (inputs + outputs).map { "void *\($0.identifier)" })
  }

  private func leadingParameters(_ prefix: String) -> [String] {
    var parameters = ["\(name) *model"]
    if !symbols.isEmpty { parameters.append("\(name)_dims dims") }
    if usesStructs, !inputs.isEmpty { parameters.append("const \(name)_\(prefix)inputs *inputs") }
    if usesStructs, !outputs.isEmpty { parameters.append("const \(name)_\(prefix)outputs *outputs") }
    return parameters
  }
}
