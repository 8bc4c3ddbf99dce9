#file = loc("model.py":12:4)
module @places {
  func.func public @main(%arg0: tensor<2xf32> loc("input")) -> tensor<2xf32> {
    %0 = stablehlo.abs %arg0 : tensor<2xf32> loc(#file)
    %1 = stablehlo.negate %0 : tensor<2xf32> loc("layer/negate"(#file))
    %2 = stablehlo.floor %1 : tensor<2xf32> loc(callsite("inner.py":3:1 at #file))
    %3 = stablehlo.ceil %2 : tensor<2xf32> loc(fused[#file, "last"])
    %4 = stablehlo.sign %3 : tensor<2xf32> loc(fused<"how">["first", #file])
    return %4 : tensor<2xf32> loc(#file)
  } loc(#file)
} loc(#file)
