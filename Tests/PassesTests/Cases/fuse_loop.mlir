// pass: canonicalize, fusion
func.func @main(%x: tensor<4x3xf32>) -> tensor<3xf32> {
  %i = stablehlo.constant dense<0> : tensor<i32>
  %n = stablehlo.constant dense<4> : tensor<i32>
  %one = stablehlo.constant dense<1> : tensor<i32>
  %a = stablehlo.constant dense<0.0> : tensor<3xf32>
  %r:2 = stablehlo.while(%j = %i, %s = %a) : tensor<i32>, tensor<3xf32>
    cond {
    %p = stablehlo.compare LT, %j, %n, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
    stablehlo.return %p : tensor<i1>
  } do {
    %c = stablehlo.constant dense<0> : tensor<i32>
    %row = stablehlo.dynamic_slice %x, %j, %c, sizes = [1, 3] : (tensor<4x3xf32>, tensor<i32>, tensor<i32>) -> tensor<1x3xf32>
    %v = stablehlo.reshape %row : (tensor<1x3xf32>) -> tensor<3xf32>
    %t = stablehlo.tanh %s : tensor<3xf32>
    %u = stablehlo.add %t, %v : tensor<3xf32>
    %k = stablehlo.add %j, %one : tensor<i32>
    stablehlo.return %k, %u : tensor<i32>, tensor<3xf32>
  }
  return %r#1 : tensor<3xf32>
}
// count: fusion 3
// expect:
func.func public @main(%x: tensor<4x3xf32>) -> (tensor<3xf32>) {
  %0 = stablehlo.constant dense<0> : tensor<i32>
  %1 = stablehlo.constant dense<0.0> : tensor<3xf32>
  %2:2 = stablehlo.while(%arg1 = %0, %arg2 = %1) : tensor<i32>, tensor<3xf32> cond {
    %3 = "tfc.fusion"(%arg1) ({
    ^bb0(%arg3: tensor<i32>):
      %4 = stablehlo.constant dense<4> : tensor<i32>
      %5 = stablehlo.compare LT, %arg3, %4, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %5 : tensor<i1>
    }) {anchor = "loop"} : (tensor<i32>) -> tensor<i1>
    stablehlo.return %3 : tensor<i1>
  } do {
    %6 = "tfc.fusion"(%arg1) ({
    ^bb0(%arg6: tensor<i32>):
      %7 = stablehlo.constant dense<1> : tensor<i32>
      %8 = stablehlo.add %arg6, %7 : tensor<i32>
      stablehlo.return %8 : tensor<i32>
    }) {anchor = "loop"} : (tensor<i32>) -> tensor<i32>
    %9 = "tfc.fusion"(%x, %arg1, %arg2) ({
    ^bb0(%arg7: tensor<4x3xf32>, %arg8: tensor<i32>, %arg9: tensor<3xf32>):
      %10 = stablehlo.constant dense<0> : tensor<i32>
      %11 = stablehlo.dynamic_slice %arg7, %arg8, %10, sizes = [1, 3] : (tensor<4x3xf32>, tensor<i32>, tensor<i32>) -> tensor<1x3xf32>
      %12 = stablehlo.reshape %11 : (tensor<1x3xf32>) -> tensor<3xf32>
      %13 = stablehlo.tanh %arg9 : tensor<3xf32>
      %14 = stablehlo.add %13, %12 : tensor<3xf32>
      stablehlo.return %14 : tensor<3xf32>
    }) {anchor = "loop"} : (tensor<4x3xf32>, tensor<i32>, tensor<3xf32>) -> tensor<3xf32>
    stablehlo.return %6, %9 : tensor<i32>, tensor<3xf32>
  }
  return %2#1 : tensor<3xf32>
}
