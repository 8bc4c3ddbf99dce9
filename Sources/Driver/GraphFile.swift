internal import Codegen
internal import Foundation
internal import IR
internal import ImportONNX
internal import ImportStableHLO
internal import Passes

/// What kind of file a model is in.
public enum GraphKind: Hashable, Sendable {
  case stableHLO, onnx
  /// A library that tfc made.
  case library

  /// The kind of the file, by its content where that tells, else by its name. Throws for what tfc does not read.
  public init(ofFile path: String) throws(Failure) {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw .refused("the file does not exist", place: path)
    }
    if isFolder.boolValue {
      if FileManager.default.fileExists(atPath: path + "/saved_model.pb") {
        throw .unsupported("SavedModel (\(path)); export the model as ONNX or StableHLO")
      }
      throw .refused("it is a folder, not a graph", place: path)
    }
    let start = try Files.prefix(path, 512)
    let text = String(decoding: start, as: UTF8.self)
    if start.starts(with: [0x7F, 0x45, 0x4C, 0x46]) {
      self = .library
    } else if Module.isBytecode(start) {
      self = .stableHLO
    } else if start.dropFirst(4).starts(with: Array("TFL3".utf8)) {
      throw .unsupported("TensorFlow Lite model (\(path)); export the model as ONNX or StableHLO")
    } else if path.hasSuffix(".onnx") {
      self = .onnx
    } else if path.hasSuffix(".mlir")
      || ["module", "func.func", "//", "#", "\"builtin.module\""].contains(where: {
        text.drop { $0.isWhitespace }.hasPrefix($0)
      })
    {
      self = .stableHLO
    } else if path.hasSuffix(".pb") || path.hasSuffix(".pbtxt") {
      throw .unsupported("GraphDef (\(path)); export the model as ONNX or StableHLO")
    } else if path.hasSuffix(".pt") || path.hasSuffix(".pth") || path.hasSuffix(".safetensors") {
      throw .unsupported("PyTorch file (\(path)); export the model as ONNX")
    } else {
      throw .refused(
        "the kind of the file is unknown; expected .onnx, .mlir, .mlirbc, or a library that tfc made", place: path)
    }
  }
}

/// Reads graphs from files.
struct GraphReader {
  /// Values for symbols.
  var dimensions: [Options.Dimension] = []
  /// What is known of the inputs: their shapes and, where a graph computes shapes from them, values.
  var inputs: [String: NumpyFile] = [:]

  func module(atPath path: String) throws(Failure) -> Module {
    switch try GraphKind(ofFile: path) {
    case .stableHLO: return try stableHLO(path)
    case .onnx: return try onnx(path)
    case .library: throw .refused("it is a library, expected a graph", place: path)
    }
  }

  private func stableHLO(_ path: String) throws(Failure) -> Module {
    do throws(StableHLOImportError) {
      return try StableHLOImporter().module(atPath: path)
    } catch {
      guard case .source(let error) = error else {
        let severity: Diagnostic.Severity = error.isUnsupported ? .unsupported : .error
        var message = error.description
        if case .op(let error) = error { message = error.message }
        throw Failure(.refused, [Diagnostic(place: path, severity: severity, message: message)])
      }
      throw refusal(of: error)
    }
  }

  private func refusal(of error: SourceError) -> Failure {
    if !error.unsupported.isEmpty {
      return Failure(
        .refused,
        error.unsupported.map {
          let place = "\(Files.name(of: $0.fileName)):\($0.place)"
          return Diagnostic(place: $0.fileName, severity: .unsupported, message: "\($0.feature) (\(place))")
        })
    }
    let place = "\(error.fileName):\(error.place)"
    return Failure(.refused, [Diagnostic(place: place, message: error.message, excerpt: error.excerpt?.lines ?? [])])
  }

  private func onnx(_ path: String) throws(Failure) -> Module {
    var importer = ONNXImporter()
    for dimension in dimensions {
      if let value = dimension.fixed {
        importer.symbols[dimension.symbol] = value
      } else {
        importer.symbolBounds[dimension.symbol] = SymbolBounds(lower: dimension.lower, upper: dimension.upper)
      }
    }
    for (name, file) in inputs {
      importer.inputShapes[name] = file.dimensions
      // Shapes, axes, scales, and the like.
      if file.elementCount <= 4096, let type = file.naturalType, let value = try? file.literal(type) {
        importer.inputValues[name] = value
      }
    }
    var known: [String] = []
    let module: Module
    do throws(ONNXError) {
      if !dimensions.isEmpty { known = try importer.symbolNames(atPath: path) }
      module = try importer.module(atPath: path)
    } catch {
      let severity: Diagnostic.Severity = error.kind == .unsupported ? .unsupported : .error
      throw Failure(.refused, error.lines.map { Diagnostic(place: path, severity: severity, message: $0) })
    }
    // A symbol that has a value is no longer in the module, so it is looked for in the file.
    if let unknown = dimensions.first(where: { !known.contains($0.symbol) }) {
      let list = known.isEmpty ? "none" : known.joined(separator: ", ")
      throw .refused("--dim: the graph has no dimension '\(unknown.symbol)'; it has \(list)", place: path)
    }
    return module
  }

  /// The module with the values and ranges that the options give its symbols.
  func settingDimensions(of module: Module, _ path: String) throws(Failure) -> Module {
    var values: [Symbol: Int] = [:]
    var ranges: [Symbol: SymbolBounds] = [:]
    let known = module.symbols
    for dimension in dimensions {
      let symbol = Symbol(dimension.symbol)
      if let value = dimension.fixed {
        // The ONNX importer has already replaced the symbols that have a value.
        if known.contains(symbol) || !path.hasSuffix(".onnx") { values[symbol] = value }
      } else {
        ranges[symbol] = SymbolBounds(lower: dimension.lower, upper: dimension.upper)
      }
    }
    do throws(OpError) {
      return try module.specialized(symbols: values).bounding(symbols: ranges)
    } catch {
      throw .refused("--dim: \(error)", place: path)
    }
  }
}
