// swift-tools-version: 6.1
import CompilerPluginSupport
import Foundation
import PackageDescription

/// Where LLVM's headers and libraries are: what `LLVM_CONFIG` names, else the newest LLVM from 19 on under the usual prefixes.
struct LLVM {
  let includeDirectory: String
  let libraryDirectory: String
  let library: String

  static func find() -> LLVM {
    let environment = ProcessInfo.processInfo.environment
    if let config = environment["LLVM_CONFIG"] {
      guard let includes = run(config, "--includedir"), let libraries = run(config, "--libdir"),
        let version = run(config, "--version"), let major = Int(version.prefix { $0 != "." }), major >= 19
      else { stop("LLVM_CONFIG=\(config) is not the llvm-config of LLVM 19 or newer") }
      return LLVM(includeDirectory: includes, libraryDirectory: libraries, library: "LLVM-\(major)")
    }
    for major in (19...25).reversed() {
      for prefix in ["/usr/lib/llvm-\(major)", "/usr/local/opt/llvm@\(major)", "/opt/homebrew/opt/llvm@\(major)"] {
        if FileManager.default.fileExists(atPath: "\(prefix)/include/llvm-c/Core.h") {
          return LLVM(
            includeDirectory: "\(prefix)/include", libraryDirectory: "\(prefix)/lib", library: "LLVM-\(major)")
        }
      }
    }
    stop("LLVM 19 or newer is missing; install the package llvm-19-dev, or name its llvm-config in LLVM_CONFIG")
  }

  private static func run(_ program: String, _ argument: String) -> String? {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = [argument]
    let pipe = Pipe()
    process.standardOutput = pipe
    guard (try? process.run()) != nil else { return nil }
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
  }

}

/// The folder that has OpenCL's headers in its folder CL. Only headers are needed: the library is loaded at run time.
func findOpenCLHeaders() -> String {
  for folder in ["/usr/include", "/usr/local/include", "/opt/homebrew/include"] {
    if FileManager.default.fileExists(atPath: "\(folder)/CL/cl.h") { return folder }
  }
  stop("OpenCL's headers are missing; install the package opencl-headers")
}

func stop(_ sentence: String) -> Never {
  FileHandle.standardError.write(Data("error: \(sentence)\n".utf8))
  exit(1)
}

let llvm = LLVM.find()
let openCLHeaders = findOpenCLHeaders()

let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .unsafeFlags(["-warnings-as-errors"]),
]
/// For what interprets graphs element by element, which tests do most of the time: optimized in debug builds too.
let optimized: [SwiftSetting] = [.unsafeFlags(["-O"], .when(configuration: .debug))]
let withLLVM: [SwiftSetting] = strict + [.unsafeFlags(["-Xcc", "-I\(llvm.includeDirectory)"])]
let linkLLVM: [LinkerSetting] = [
  .unsafeFlags(["-L\(llvm.libraryDirectory)", "-Xlinker", "-rpath", "-Xlinker", llvm.libraryDirectory]),
  .linkedLibrary(llvm.library),
]

let package = Package(
  name: "tfc",
  products: [
    .executable(name: "tfc", targets: ["tfc"]),
    .`library`(name: "TFC", targets: ["TFC"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-numerics", from: "1.1.0"),
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
    .package(url: "https://github.com/swiftlang/swift-syntax", from: "603.0.0"),
  ],
  targets: [
    .target(
      name: "IR", dependencies: [.product(name: "RealModule", package: "swift-numerics")],
      swiftSettings: strict + optimized),
    .target(name: "Passes", dependencies: ["IR"], swiftSettings: strict),
    .target(name: "Codegen", dependencies: ["IR"], swiftSettings: strict),
    .systemLibrary(name: "CLLVM"),
    .target(name: "CodegenLLVM", dependencies: ["IR", "Codegen", "CLLVM"], swiftSettings: withLLVM),
    .target(name: "CodegenOpenCL", dependencies: ["IR", "Codegen"], swiftSettings: strict),
    // Not "Runtime": the toolchain has a module of that name, which `import` would find first.
    .target(
      name: "CRuntime", path: "Sources/Runtime",
      cSettings: [
        .unsafeFlags(["-std=c11", "-Wall", "-Wextra", "-Werror", "-idirafter", openCLHeaders]), .define("_GNU_SOURCE"),
      ]),
    .target(
      name: "RuntimeSource",
      cSettings: [.unsafeFlags(["-std=c23", "-Wall", "-Wextra", "-Werror", "--embed-dir=\(openCLHeaders)"])]),
    .target(
      name: "HostRates",
      cSettings: [.unsafeFlags(["-std=c11", "-O2", "-Wall", "-Wextra", "-Werror"]), .define("_GNU_SOURCE")]),
    .target(name: "ImportStableHLO", dependencies: ["IR"], swiftSettings: strict),
    .target(name: "GraphBuilding", dependencies: ["IR", "Passes"], swiftSettings: strict),
    .target(
      name: "ImportONNX",
      dependencies: ["IR", "GraphBuilding", .product(name: "SwiftProtobuf", package: "swift-protobuf")],
      swiftSettings: strict),
    .target(
      name: "ImportTensorFlow",
      dependencies: ["IR", "GraphBuilding", .product(name: "SwiftProtobuf", package: "swift-protobuf")],
      exclude: ["Schema"], swiftSettings: strict),
    .target(
      name: "Driver",
      dependencies: [
        "IR", "Passes", "Codegen", "CodegenLLVM", "CodegenOpenCL", "CRuntime", "RuntimeSource", "HostRates",
        "ImportStableHLO", "ImportONNX", "ImportTensorFlow",
      ],
      swiftSettings: withLLVM, linkerSettings: linkLLVM),
    .macro(
      name: "TFCMacros",
      dependencies: [
        .product(name: "SwiftSyntaxMacros", package: "swift-syntax"),
        .product(name: "SwiftCompilerPlugin", package: "swift-syntax"),
      ],
      swiftSettings: strict),
    .target(
      name: "TFC", dependencies: ["IR", "GraphBuilding", "Passes", "Driver", "TFCMacros"], swiftSettings: withLLVM),
    .executableTarget(
      name: "tfc",
      dependencies: ["Driver", .product(name: "ArgumentParser", package: "swift-argument-parser")],
      swiftSettings: withLLVM),
    .executableTarget(
      name: "spirals", dependencies: ["TFC"], path: "examples/spirals", swiftSettings: withLLVM),
    .target(name: "RandomGraphs", dependencies: ["IR"], path: "Tests/RandomGraphs", swiftSettings: strict),
    .executableTarget(
      name: "differential-test",
      dependencies: ["IR", "Passes", "Codegen", "CodegenLLVM", "Driver", "ImportStableHLO", "RandomGraphs"],
      path: "Tests/Differential", swiftSettings: withLLVM, linkerSettings: linkLLVM),
    .testTarget(name: "IRTests", dependencies: ["IR"], swiftSettings: strict),
    .testTarget(
      name: "PassesTests", dependencies: ["IR", "Passes", "RandomGraphs"], exclude: ["Cases", "Gradients"],
      swiftSettings: strict),
    .testTarget(
      name: "CodegenTests", dependencies: ["IR", "Codegen", "CodegenLLVM", "CodegenOpenCL"], swiftSettings: withLLVM,
      linkerSettings: linkLLVM),
    .testTarget(
      name: "ImportTests",
      dependencies: [
        "IR", "ImportStableHLO", "ImportONNX", "ImportTensorFlow",
        .product(name: "SwiftProtobuf", package: "swift-protobuf"),
      ],
      swiftSettings: strict),
    .testTarget(
      name: "DriverTests", dependencies: ["IR", "Passes", "Codegen", "Driver", "RandomGraphs", "tfc"],
      swiftSettings: withLLVM),
    .testTarget(
      name: "TFCTests", dependencies: ["IR", "ImportStableHLO", "Driver", "TFC", "spirals"], swiftSettings: withLLVM),
  ]
)
