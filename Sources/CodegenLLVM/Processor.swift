import CLLVM
import Codegen

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The processor that code is made for.
struct Processor: Hashable, Sendable {
  var triple: String
  /// LLVM's name of the processor.
  var name: String
  /// What is added to and removed from the named processor's features, in LLVM's notation.
  var featureText: String
  /// The features that code may use, in LLVM's names; of those that change vector code or that the artifact checks.
  var features: Set<String>
  var isHost: Bool
  /// The products of its tile registers, which code asks for before it uses them.
  var tileFormats: Set<TileFormat> = []

  /// The features that code for x86-64 may use, each of which the artifact can look for when it is loaded.
  static let knownFeatures: [String] = [
    "sse3", "ssse3", "sse4.1", "sse4.2", "popcnt", "cx16", "sahf", "movbe", "lzcnt", "bmi", "bmi2", "f16c", "fma",
    "avx", "avx2", "avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl", "avx512ifma", "avx512vbmi",
    "avx512vbmi2", "avx512vnni", "avx512bitalg", "avx512vpopcntdq",
  ]

  private static let tileFeatures = ["amx-tile"] + TileFormat.allCases.map(\.featureName)

  private static func tileFormats(among features: Set<String>) -> Set<TileFormat> {
    features.contains("amx-tile") ? Set(TileFormat.allCases.filter { features.contains($0.featureName) }) : []
  }

  /// The processor called `native` (this machine's) or by LLVM's name of it.
  init(named name: String) throws(LLVMError) {
    _ = LLVMInitializeNativeTarget()
    _ = LLVMInitializeNativeAsmPrinter()
    _ = LLVMInitializeNativeAsmParser()
    self.name = name
    triple = LLVMText.take(LLVMGetDefaultTargetTriple())
    isHost = name == "native"
    featureText = ""
    features = []
    guard triple.hasPrefix("x86_64") else {
      guard isHost else { return }
      self.name = LLVMText.take(LLVMGetHostCPUName())
      featureText = LLVMText.take(LLVMGetHostCPUFeatures())
      return
    }
    if isHost {
      let enabled = LLVMText.take(LLVMGetHostCPUFeatures()).split(separator: ",").filter { $0.hasPrefix("+") }
      let found = Set(enabled.map { String($0.dropFirst()) }).intersection(Self.knownFeatures)
      features = found
      tileFormats = Self.tileFormats(among: Set(enabled.map { String($0.dropFirst()) }))
      featureText = Self.knownFeatures.map { (found.contains($0) ? "+" : "-") + $0 }.joined(separator: ",")
      // The level decides how code is scheduled; what it may use is in the features.
      self.name = has512BitVectors ? "x86-64-v4" : features.contains("avx2") ? "x86-64-v3" : "x86-64-v2"
    } else {
      // LLVM ends the process where it does not know a processor's name and 64-bit code is wanted.
      featureText = "+64bit"
      let found = try Self.features(of: self, among: Self.knownFeatures + Self.tileFeatures)
      features = found.subtracting(Self.tileFeatures)
      tileFormats = Self.tileFormats(among: found)
    }
    let missing = ["ssse3", "sse4.1", "sse4.2", "popcnt"].filter { !features.contains($0) }
    guard missing.isEmpty else {
      throw LLVMError(
        "processor \(name) is unknown or older than x86-64-v2: it has no \(missing.joined(separator: ", "))")
    }
  }

  /// Any processor of the kind, for code that computes nothing.
  var baseline: Processor {
    guard isX86 else { return self }
    var processor = self
    processor.name = "x86-64"
    processor.featureText = ""
    processor.features = []
    processor.tileFormats = []
    processor.isHost = false
    return processor
  }

  var isX86: Bool { triple.hasPrefix("x86_64") }

  var has512BitVectors: Bool {
    ["avx512f", "avx512vl", "avx512bw", "avx512dq"].allSatisfy(features.contains)
  }

  var hasMultiplyAdd: Bool { !isX86 || features.contains("fma") }
  var hasHalfConversion: Bool { !isX86 || features.contains("f16c") }
  var hasGather: Bool { features.contains("avx2") }
  var hasScatter: Bool { has512BitVectors }

  /// What schedules know of the processor.
  var target: Target {
    let vectorByteCount = has512BitVectors ? 64 : features.contains("avx") ? 32 : 16
    let registerCount = has512BitVectors || !isX86 ? 32 : 16
    var target = Target(
      cpu: name, vectorByteCount: vectorByteCount, vectorRegisterCount: registerCount, hasMultiplyAdd: hasMultiplyAdd,
      hasLookup: has512BitVectors, tileFormats: tileFormats)
    #if canImport(Glibc)
      if isHost {
        let (l1, l2) = (sysconf(Int32(_SC_LEVEL1_DCACHE_SIZE)), sysconf(Int32(_SC_LEVEL2_CACHE_SIZE)))
        let l3 = sysconf(Int32(_SC_LEVEL3_CACHE_SIZE))
        if l3 > 0 { target.l3ByteCount = l3 }
        if l1 > 0 { target.l1ByteCount = l1 }
        if l2 > 0 { target.l2ByteCount = l2 }
      }
    #endif
    return target
  }

  /// Those of the features that a processor named to LLVM has.
  ///
  /// LLVM's C interface does not tell; but its inliner puts a function into another only where the caller has all
  /// features of the callee.
  private static func features(of processor: Processor, among candidates: [String]) throws(LLVMError) -> Set<String> {
    let machine = try LLVMMachine(processor)
    let probe = LLVMModule(name: "features", machine: machine)
    let void: LLVMTypeRef = LLVMVoidTypeInContext(probe.context)
    let type: LLVMTypeRef = LLVMFunctionType(void, nil, 0, 0)
    let external: LLVMValueRef = LLVMAddFunction(probe.module, "external", type)

    func begin(_ name: String) -> LLVMValueRef {
      let function: LLVMValueRef = LLVMAddFunction(probe.module, name, type)
      LLVMPositionBuilderAtEnd(probe.builder, LLVMAppendBasicBlockInContext(probe.context, function, ""))
      return function
    }
    func setAttribute(_ function: LLVMValueRef, _ key: String, _ value: String) {
      let attribute = LLVMCreateStringAttribute(
        probe.context, key, UInt32(key.utf8.count), value, UInt32(value.utf8.count))
      LLVMAddAttributeAtIndex(function, UInt32.max, attribute)
    }
    func call(_ function: LLVMValueRef) { _ = LLVMBuildCall2(probe.builder, type, function, nil, 0, "") }

    var callees: [LLVMValueRef] = []
    for feature in candidates {
      let callee = begin(feature)
      setAttribute(callee, "target-cpu", "x86-64")
      setAttribute(callee, "target-features", "+\(feature)")
      call(external)
      LLVMBuildRetVoid(probe.builder)
      callees.append(callee)
    }
    let caller = begin("caller")
    setAttribute(caller, "target-cpu", processor.name)
    setAttribute(caller, "target-features", processor.featureText)
    for callee in callees { call(callee) }
    LLVMBuildRetVoid(probe.builder)
    try probe.optimize(machine, pipeline: "cgscc(inline)")

    var found = Set(candidates)
    var instruction = LLVMGetFirstInstruction(LLVMGetEntryBasicBlock(caller))
    while let current = instruction {
      if LLVMGetInstructionOpcode(current) == LLVMCall, let called = LLVMGetCalledValue(current),
        let position = callees.firstIndex(of: called)
      {
        found.remove(candidates[position])
      }
      instruction = LLVMGetNextInstruction(current)
    }
    return found
  }
}
