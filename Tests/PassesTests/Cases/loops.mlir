// pass: canonicalize
func.func @main(%x: tensor<3xf32>, %y: tensor<3xf32>) -> tensor<3xf32> {
  %n = stablehlo.constant dense<4> : tensor<i32>
  %i = stablehlo.constant dense<0> : tensor<i32>
  %one = stablehlo.constant dense<1> : tensor<i32>
  %r:4 = stablehlo.while(%j = %i, %a = %x, %inv = %y, %unused = %x) : tensor<i32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>
    cond {
    %p = stablehlo.compare LT, %j, %n, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
    stablehlo.return %p : tensor<i1>
  } do {
    %k = stablehlo.add %j, %one : tensor<i32>
    %b = stablehlo.add %a, %inv : tensor<3xf32>
    %u = stablehlo.multiply %unused, %inv : tensor<3xf32>
    stablehlo.return %k, %b, %inv, %u : tensor<i32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>
  }
  %s = stablehlo.add %r#1, %r#2 : tensor<3xf32>
  return %s : tensor<3xf32>
}
// expect:
func.func public @main(%x: tensor<3xf32>, %y: tensor<3xf32>) -> (tensor<3xf32>) {
  %0 = stablehlo.constant dense<0> : tensor<i32>
  %1:2 = stablehlo.while(%arg2 = %0, %arg3 = %x) : tensor<i32>, tensor<3xf32> cond {
    %2 = stablehlo.constant dense<4> : tensor<i32>
    %3 = stablehlo.compare LT, %arg2, %2, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
    stablehlo.return %3 : tensor<i1>
  } do {
    %4 = stablehlo.constant dense<1> : tensor<i32>
    %5 = stablehlo.add %arg2, %4 : tensor<i32>
    %6 = stablehlo.add %arg3, %y : tensor<3xf32>
    stablehlo.return %5, %6 : tensor<i32>, tensor<3xf32>
  }
  %7 = stablehlo.add %1#1, %y : tensor<3xf32>
  return %7 : tensor<3xf32>
}
