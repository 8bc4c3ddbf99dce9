internal import Foundation
public import IR

/// Why a StableHLO file is refused.
public enum StableHLOImportError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The file cannot be read, or is neither text nor bytecode.
  case unreadable(String)
  /// The file is wrong, or has parts that tfc does not implement.
  case source(SourceError)
  /// An op of the file cannot be expressed in the IR.
  case op(OpError)

  /// Whether the file may be right and tfc does not implement what it holds.
  public var isUnsupported: Bool {
    switch self {
    case .unreadable: false
    case .source(let error): !error.unsupported.isEmpty
    case .op(let error): error.kind == .unsupported
    }
  }

  public var description: String {
    switch self {
    case .unreadable(let message): message
    case .source(let error): error.description
    case .op(let error): error.description
    }
  }
}

/// Reads StableHLO files, text and portable artifacts, as JAX and other frameworks write them, into the IR.
public struct StableHLOImporter: Sendable {
  /// A file larger than this is refused.
  public static let largestByteCount = 4 << 30

  public init() {}

  /// The module in the file at `path`.
  public func module(atPath path: String) throws(StableHLOImportError) -> Module {
    let data: Data
    do {
      data = try Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe)
    } catch {
      throw .unreadable("\(path): error: the file cannot be read")
    }
    return try module([UInt8](data), fileName: path)
  }

  /// The module in a file's bytes; `fileName` is for messages.
  public func module(_ bytes: [UInt8], fileName: String) throws(StableHLOImportError) -> Module {
    guard bytes.count <= Self.largestByteCount else {
      throw .unreadable("\(fileName): error: the file has \(bytes.count) bytes, more than \(Self.largestByteCount)")
    }
    if Module.isBytecode(bytes) {
      return try module { () throws(SourceError) in
        try Module(bytecode: bytes, fileName: fileName, acceptsCustomCall: KnownCall.isKnown)
      }
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw .unreadable("\(fileName): error: the file is neither UTF-8 text nor MLIR bytecode")
    }
    return try module(parsing: text, fileName: fileName)
  }

  /// The module that a text describes.
  public func module(parsing text: String, fileName: String) throws(StableHLOImportError) -> Module {
    try module { () throws(SourceError) in
      try Module(parsing: text, fileName: fileName, acceptsCustomCall: KnownCall.isKnown)
    }
  }

  /// The module that `read` gives, its custom calls and composites expressed in ops where they have a meaning here.
  private func module(_ read: () throws(SourceError) -> Module) throws(StableHLOImportError) -> Module {
    var module: Module
    do throws(SourceError) {
      module = try read()
    } catch {
      throw .source(error)
    }
    do {
      for index in module.functions.indices {
        let graph = module.functions[index].graph
        if graph.containsCalls { module.functions[index].graph = try graph.replacingKnownCalls() }
      }
    } catch {
      throw .op(error)
    }
    return module
  }
}
